"""Legacy links, in the words of dockerd 28."""

from argosy.engine.links import environment, split, without
from argosy.engine.model import Config


def test_both_ways_of_writing_a_link():
    assert split("db:my-db") == split("/db:/web/my-db") == ("db", "my-db")
    assert split("db") == ("db", "db")


def test_the_variables_are_dockers():
    neighbour = Config(exposed_ports={"81/udp": {}, "80/tcp": {}}, env=("PATH=/bin", "FOO=1", "BARE"))
    assert environment("my-db", name="web", address="172.17.0.2", neighbour=neighbour) == [
        "MY_DB_PORT=tcp://172.17.0.2:80",
        "MY_DB_PORT_80_TCP=tcp://172.17.0.2:80",
        "MY_DB_PORT_80_TCP_ADDR=172.17.0.2",
        "MY_DB_PORT_80_TCP_PORT=80",
        "MY_DB_PORT_80_TCP_PROTO=tcp",
        "MY_DB_PORT_81_UDP=udp://172.17.0.2:81",
        "MY_DB_PORT_81_UDP_ADDR=172.17.0.2",
        "MY_DB_PORT_81_UDP_PORT=81",
        "MY_DB_PORT_81_UDP_PROTO=udp",
        "MY_DB_NAME=/web/my-db",
        "MY_DB_ENV_FOO=1",
    ]


def test_a_link_is_taken_away_by_its_alias():
    assert without(("db:my-db", "cache:c"), "my-db") == ("cache:c",)
    assert without(("db:my-db",), "db") == ("db:my-db",)
