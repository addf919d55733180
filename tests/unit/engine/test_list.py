"""``docker ps``: filters, order, limit."""

from dataclasses import dataclass, field

import pytest

from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.engine.list import select
from argosy.engine.model import ContainerSpec, Endpoint, Health, MountPoint, State, Status
from argosy.oci.config import Config


@dataclass
class View:
    spec: ContainerSpec
    state: State
    image_name: str = "busybox"
    endpoints: dict = field(default_factory=dict)
    ports: dict = field(default_factory=dict)
    size_rw: int | None = None


def view(name, created, status="running", *, labels=None, image="sha256:aa", mounts=(), code=0, finished=0, health=None, **rest):
    spec = ContainerSpec(
        id=f"{name}{'0' * 10}", name=name, created=created, image_id=image, config=Config(labels=labels), mounts=tuple(mounts)
    )
    state = State(status=Status(status), exit_code=code, finished_at=finished, health=Health(status=health) if health else None)
    return View(spec, state, **rest)


VIEWS = [
    view("web", 10, labels={"tier": "front", "x": ""}, ports={"80/tcp": (("0.0.0.0", "8080"),), "81/udp": ()}, health="healthy"),
    view(
        "db",
        20,
        "paused",
        image="sha256:bb",
        endpoints={"back": Endpoint(network_id="n123")},
        mounts=[MountPoint(type="volume", name="data", source="/vol/data", destination="/var/lib")],
    ),
    view("old", 5, "exited", code=3, finished=7),
    view("done", 6, "exited", finished=8),
    view("fresh", 30, "created"),
    view("task", 25, labels={"com.docker.swarm.task.id": "t"}),
]


def names(all=False, limit=0, **filters):
    def find(ref):
        for one in VIEWS:
            if one.spec.name == ref:
                return one
        raise NotFoundError(f"No such container: {ref}")

    ancestors = {"busybox": {"sha256:aa"}, "base": {"sha256:aa", "sha256:bb"}}
    wanted = {key.replace("_", "-"): value if isinstance(value, list) else [value] for key, value in filters.items()}
    chosen = select(reversed(VIEWS), all=all, limit=limit, filters=wanted, find=find, ancestors=lambda ref: ancestors.get(ref, ()))
    return [one.spec.name for one in chosen]


def test_running_containers_newest_first():
    assert names() == ["task", "db", "web"]
    assert names(all=True) == ["fresh", "task", "db", "web", "done", "old"]


def test_a_limit_means_the_newest_of_all():
    assert names(limit=2) == ["fresh", "task"]
    assert names(limit=-1) == names()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": "^web$"}, ["web"]),
        ({"name": "^/we"}, ["web"]),
        ({"name": ["web", "db"]}, ["db", "web"]),
        ({"id": "web0"}, ["web"]),
        ({"id": "eb0"}, []),
        ({"label": "tier=front"}, ["web"]),
        ({"label": ["tier", "x"]}, ["web"]),
        ({"label": ["tier", "y"]}, []),
        ({"status": "exited"}, ["done", "old"]),
        ({"status": ["created", "paused"]}, ["fresh", "db"]),
        ({"exited": "3"}, []),
        ({"health": "healthy"}, ["web"]),
        ({"health": "none"}, ["task", "db"]),
        ({"is_task": "true"}, ["task"]),
        ({"is_task": "false"}, ["db", "web"]),
        ({"ancestor": "busybox"}, ["task", "web"]),
        ({"ancestor": "base"}, ["task", "db", "web"]),
        ({"ancestor": "nothing"}, []),
        ({"volume": "data"}, ["db"]),
        ({"volume": "/var/lib"}, ["db"]),
        ({"volume": "/vol/data"}, ["db"]),
        ({"volume": "dat"}, []),
        ({"network": "back"}, ["db"]),
        ({"network": "n1"}, ["db"]),
        ({"network": "bac"}, []),
        ({"publish": "8080"}, ["web"]),
        ({"publish": "80"}, []),
        ({"publish": "8000-8100/tcp"}, ["web"]),
        ({"expose": "80"}, ["web"]),
        ({"expose": "81/udp"}, ["web"]),
        ({"expose": "81"}, []),
        ({"before": "db"}, ["web"]),
        ({"since": "web"}, ["task", "db"]),
        ({"since": "web", "before": "task"}, ["db"]),
        ({"isolation": "x"}, ["task", "db", "web"]),
    ],
)
def test_filters(filters, found):
    assert names(**filters) == found


def test_exit_codes_of_stopped_containers_only():
    assert names(all=True, exited="3") == ["old"]
    assert names(all=True, exited="0") == ["done"]
    assert names(all=True, exited=["0", "3"]) == ["done", "old"]


def test_several_since_and_before_narrow_as_the_strictest():
    assert names(all=True, since=["web", "db"]) == ["fresh", "task"]
    assert names(all=True, before=["web", "db"]) == ["done", "old"]


@pytest.mark.parametrize(
    ("filters", "kind", "words"),
    [
        ({"foo": "x"}, InvalidParameterError, "invalid filter 'foo'"),
        (
            {"status": "foo"},
            InvalidParameterError,
            "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, "
            "removing, exited, dead",
        ),
        (
            {"health": "x"},
            InvalidParameterError,
            "invalid filter 'health=x': invalid value for health (x): must be one of none, starting, healthy, unhealthy",
        ),
        ({"exited": "x"}, InvalidParameterError, "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"),
        ({"is_task": "x"}, InvalidParameterError, "invalid filter 'is-task=[x]'"),
        ({"before": "nope"}, NotFoundError, "No such container: nope"),
        ({"since": "nope"}, NotFoundError, "No such container: nope"),
        ({"publish": "x"}, SystemFailureError, 'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax'),
        (
            {"publish": "99-90/tcp"},
            SystemFailureError,
            "error while looking up for publish 99-90/tcp: Invalid range specified for the Port: 99-90",
        ),
    ],
)
def test_wrong_filters_get_dockers_words(filters, kind, words):
    with pytest.raises(ArgosyError) as error:
        names(**filters)
    assert type(error.value) is kind and str(error.value) == words
