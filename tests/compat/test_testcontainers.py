"""testcontainers with a real Redis and PostgreSQL of Debian's packages: started, waited for, used over published ports, gone after."""

import os
import shutil
from pathlib import Path

import pytest

from support.builds import context
from support.docker_cli import Docker
from support.rootfs import debootstrap
from support.venvs import venv

TOUR = Path(__file__).parent / "clients/testcontainers_tour.py"
REDIS = 'FROM servers:bookworm\nEXPOSE 6379\nCMD ["redis-server", "--protected-mode", "no"]\n'
# As the official image: a data folder for the user named by the environment, then the server that all may reach with the password.
POSTGRES = 'FROM servers:bookworm\nEXPOSE 5432\nCOPY start /start\nCMD ["/bin/sh", "/start"]\n'
START = """\
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
cd /tmp
printf %s "$POSTGRES_PASSWORD" >pass
run() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
run "$bin/initdb" -D /tmp/data -U "$POSTGRES_USER" --pwfile=/tmp/pass -A scram-sha-256 -E UTF8 >/dev/null
echo 'local all all trust' >/tmp/data/pg_hba.conf
echo 'host all all all scram-sha-256' >>/tmp/data/pg_hba.conf
run "$bin/pg_ctl" -D /tmp/data -w -o "-c listen_addresses= -c unix_socket_directories=/var/run/postgresql" start >/dev/null
run createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
run "$bin/pg_ctl" -D /tmp/data -w stop >/dev/null
exec setpriv --reuid postgres --regid postgres --init-groups "$bin/postgres" -D /tmp/data -c 'listen_addresses=*'
"""


def _try(docker: Docker, trial: str, image: str) -> None:
    """Run one trial; what was there before is there after it, and nothing else."""
    client = venv("testcontainers")
    if client is None:
        pytest.skip("testcontainers could not be installed from the package index")
    before = _things(docker)
    environ = docker.environ | {"TESTCONTAINERS_RYUK_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    done = docker.engine.inside([str(client / "bin/python"), str(TOUR), trial, image], env=environ, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert _things(docker) == before


def _things(docker: Docker) -> list[str]:
    return [docker.run("ps", "-aq"), docker.run("volume", "ls", "-q"), docker.run("network", "ls", "-q")]


@pytest.fixture
def servers(docker: Docker) -> None:
    """A Debian with both servers, as an image."""
    if docker.do("image", "inspect", "servers:bookworm").returncode == 0:
        return
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip("needs root and the package debootstrap")
    archive = debootstrap("bookworm", ["postgresql", "redis-server"], "servers-bookworm")
    docker.run("import", str(archive), "servers:bookworm", timeout=300)


def _build(docker: Docker, name: str, **files: str) -> str:
    tag = f"{docker.name(name)}:1"
    docker.run("build", "-q", "-t", tag, "-", input=context(files), text=False, timeout=300)
    return tag


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_value_is_kept_by_redis(docker: Docker, servers: None) -> None:
    _try(docker, "redis", _build(docker, "redis", Dockerfile=REDIS))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_table_is_kept_by_postgresql(docker: Docker, servers: None) -> None:
    _try(docker, "postgres", _build(docker, "postgres", Dockerfile=POSTGRES, start=START))


def test_a_port_is_open_when_the_program_listens_and_not_before(docker: Docker) -> None:
    _try(docker, "port", "busybox:latest")


def test_lines_of_the_log_and_health_are_waited_for(docker: Docker) -> None:
    _try(docker, "waits", "busybox:latest")
