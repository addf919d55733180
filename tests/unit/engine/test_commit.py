"""``docker commit``: which configuration the image gets, and the freezing around it."""

from functools import partial

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.build.dockerfile.changes import apply
from argosy.engine.commit import commit, request
from argosy.engine.model import ContainerSpec
from argosy.oci.config import Config

SPEC = ContainerSpec(
    id="c1",
    name="web",
    created=1,
    image_id="sha256:aa",
    config=Config(
        hostname="c1",
        tty=True,
        open_stdin=True,
        attach_stdout=True,
        image="busybox",
        user="7:8",
        env=("A=1", "PATH=/bin"),
        cmd=("sleep", "1"),
        entrypoint=("run",),
        labels={"a": "1"},
        exposed_ports={"80/tcp": {}},
        volumes={"/data": {}},
        stop_signal="KILL",
        stop_timeout=3,
        mac_address="02:00:00:00:00:01",
    ),
)


def ask(changes=(), config=None, **names):
    names = {"repo": "", "tag": "", "comment": "", "author": "", **names}
    return request(SPEC, change=partial(apply, changes=changes), config=config, **names)


def test_the_image_takes_what_is_portable_of_the_container():
    made = ask().config
    assert made == Config(
        user="7:8",
        env=("A=1", "PATH=/bin"),
        cmd=("sleep", "1"),
        entrypoint=("run",),
        labels={"a": "1"},
        exposed_ports={"80/tcp": {}},
        volumes={"/data": {}},
        stop_signal="KILL",
    )


def test_what_the_client_sends_wins_and_the_rest_is_the_containers():
    made = ask(config=Config(cmd=("z",), env=("A=2",), labels={"k": "v"})).config
    assert made.cmd == ("z",) and made.entrypoint == ("run",)
    assert set(made.env) == {"A=2", "PATH=/bin"} and made.labels == {"a": "1", "k": "v"}


def test_changes_come_last():
    made = ask(changes=['CMD ["a"]\nENV A=9 B="x y"', "EXPOSE 81/udp", "VOLUME /q", "LABEL x=y", "USER app"]).config
    assert made.cmd == ("a",) and made.user == "app"
    assert set(made.env) == {"A=9", "PATH=/bin", "B=x y"}
    assert made.exposed_ports.keys() == {"80/tcp", "81/udp"} and made.volumes.keys() == {"/data", "/q"}


def test_a_new_entrypoint_drops_the_old_command():
    assert ask(changes=['ENTRYPOINT ["e"]']).config.cmd is None
    assert ask(changes=['ENTRYPOINT ["e"]', "CMD x"]).config.cmd == ("/bin/sh", "-c", "x")


def test_wrong_changes_are_refused():
    with pytest.raises(InvalidParameterError, match="is not a valid change command"):
        ask(changes=["RUN x"])


def test_names():
    assert ask().reference == ""
    assert ask(repo="r").reference == "r:latest"
    made = ask(repo="r", tag="t", author="me", comment="why")
    assert (made.reference, made.author, made.comment) == ("r:t", "me", "why")
    assert (made.snapshot, made.container_id, made.parent_image) == ("c1", "c1", "sha256:aa")


class Images:
    def __init__(self, steps, error=None):
        self.steps, self.error = steps, error

    async def commit(self, request):
        self.steps.append("commit")
        if self.error:
            raise self.error
        return "sha256:new"


@pytest.mark.parametrize(
    ("pause", "running", "steps"),
    [
        (True, True, ["freeze", "commit", "thaw"]),
        (False, True, ["commit"]),
        (True, False, ["commit"]),
    ],
)
@pytest.mark.parametrize("error", [None, RuntimeError("disk")])
async def test_a_running_container_is_frozen_meanwhile_and_always_thawed(pause, running, steps, error):
    done = []

    async def freeze():
        done.append("freeze")

    async def thaw():
        done.append("thaw")

    work = commit(Images(done, error), ask(), pause=pause, freeze=freeze if running else None, thaw=thaw if running else None)
    if error:
        with pytest.raises(RuntimeError):
            await work
    else:
        assert await work == "sha256:new"
    assert done == steps


async def test_a_container_that_ends_just_now_is_committed_as_it_is():
    done = []

    async def freeze():
        raise ConflictError("container x is not running")

    async def thaw():
        done.append("thaw")

    assert await commit(Images(done, None), ask(), pause=True, freeze=freeze, thaw=thaw) == "sha256:new"
    assert done == ["commit"]
