import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.images_config import command, merge
from argosy.oci.config import Config, Healthcheck

IMAGE = Config(
    env=("PATH=/bin", "A=image"),
    entrypoint=("/entry",),
    cmd=("serve",),
    labels={"who": "image", "only": "image"},
    exposed_ports={"80/tcp": {}},
    volumes={"/data": {}},
    working_dir="/srv",
    user="www",
    stop_signal="SIGQUIT",
    healthcheck=Healthcheck(test=("CMD", "check"), interval=5),
)


def test_what_is_not_said_comes_from_the_image():
    merged = merge(Config(image="x"), IMAGE)
    assert command(merged) == ("/entry", ("serve",))
    assert (merged.working_dir, merged.user, merged.stop_signal) == ("/srv", "www", "SIGQUIT")
    assert merged.volumes == {"/data": {}}


def test_the_containers_own_wins_and_the_rest_is_united():
    merged = merge(Config(env=("A=own", "B=1"), labels={"who": "own"}, exposed_ports={"90/udp": {}}), IMAGE)
    assert merged.env == ("A=own", "B=1", "PATH=/bin")
    assert merged.labels == {"who": "own", "only": "image"}
    assert set(merged.exposed_ports or {}) == {"80/tcp", "90/udp"}


def test_an_own_command_keeps_the_images_entrypoint():
    assert command(merge(Config(cmd=("x", "y")), IMAGE)) == ("/entry", ("x", "y"))


def test_an_own_entrypoint_drops_the_images_command():
    assert command(merge(Config(entrypoint=("/other",)), IMAGE)) == ("/other", ())


def test_an_empty_entrypoint_resets_the_images():
    assert command(merge(Config(entrypoint=("",), cmd=("sh",)), IMAGE)) == ("sh", ())


def test_health_check_parts_are_taken_over():
    merged = merge(Config(healthcheck=Healthcheck(interval=9)), IMAGE)
    assert merged.healthcheck == Healthcheck(test=("CMD", "check"), interval=9)


def test_nothing_to_run_is_refused():
    with pytest.raises(InvalidParameterError, match="no command specified"):
        merge(Config(), Config())
