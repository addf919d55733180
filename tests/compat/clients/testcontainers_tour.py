"""What test_testcontainers.py runs in the environment of testcontainers: each function is one trial, called by its name."""

# mypy: ignore-errors
import socket
import sys

from sqlalchemy import create_engine, text
from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy, LogMessageWaitStrategy, PortWaitStrategy

WAITING = "until test -e /go; do sleep 0.1; done; echo going; httpd -f -p 80 -h /www"


def redis(image: str) -> None:
    """A value comes back, also by the second of two containers that run at a time."""
    with RedisContainer(image) as first, RedisContainer(image) as second:
        assert first.get_exposed_port(6379) != second.get_exposed_port(6379)
        first.get_client().set("ship", "argosy")
        assert first.get_client().get("ship") == b"argosy"
        assert second.get_client().get("ship") is None


def postgres(image: str) -> None:
    """A table is made and read over the published port."""
    with PostgresContainer(image, driver="psycopg", username="sailor", password="knots", dbname="fleet") as server:
        with create_engine(server.get_connection_url()).begin() as connection:
            connection.execute(text("create table ship (name text, tons int)"))
            connection.execute(text("insert into ship values ('argosy', 200), ('carrack', 900)"))
            assert connection.execute(text("select sum(tons) from ship")).scalar() == 1100
            assert connection.execute(text("select current_database(), current_user")).one() == ("fleet", "sailor")
        status, output = server.exec(["psql", "-U", "sailor", "-d", "fleet", "-Atc", "select count(*) from ship"])
        assert (status, output.strip()) == (0, b"2")


def port(image: str) -> None:
    """A published port is not taken for a listening one: nothing accepts before the program in the container does."""
    with DockerContainer(image).with_command(["sh", "-c", WAITING]).with_exposed_ports(80) as server:
        address = (server.get_container_host_ip(), int(server.get_exposed_port(80)))
        try:
            PortWaitStrategy(80).with_startup_timeout(2).wait_until_ready(server)
        except TimeoutError:
            pass
        else:
            raise AssertionError(f"{address} accepts, and nobody listens in the container")
        assert server.exec(["touch", "/go"]).exit_code == 0
        PortWaitStrategy(80).with_startup_timeout(30).wait_until_ready(server)
        with socket.create_connection(address, 10) as web:
            web.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert web.recv(1000).startswith(b"HTTP/1.")


def waits(image: str) -> None:
    """Lines of the log and the health are waited for; a container that is unhealthy or ends is told from one that is slow."""
    health = {"test": ["CMD", "test", "-e", "/go"], "interval": 100_000_000, "retries": 600}
    with DockerContainer(image).with_command(["sh", "-c", WAITING]).with_kwargs(healthcheck=health) as server:
        try:
            LogMessageWaitStrategy("going").with_startup_timeout(1).wait_until_ready(server)
        except TimeoutError:
            pass
        else:
            raise AssertionError("the line was not logged yet")
        assert server.exec(["touch", "/go"]).exit_code == 0
        LogMessageWaitStrategy("going").with_startup_timeout(30).wait_until_ready(server)
        HealthcheckWaitStrategy().with_startup_timeout(30).wait_until_ready(server)
        assert server.get_logs()[0] == b"going\n"


if __name__ == "__main__":
    {"redis": redis, "postgres": postgres, "port": port, "waits": waits}[sys.argv[1]](sys.argv[2])
