"""``docker container prune``."""

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.engine.model import ContainerSpec, State, Status
from argosy.engine.prune import prunable, prune
from argosy.oci.config import Config

NOW = 1_700_000_000_000_000_000
HOUR = 3600 * 1_000_000_000


class View:
    image_name, endpoints, ports, size_rw = "", {}, {}, None

    def __init__(self, name, status, age=0, labels=None):
        self.spec = ContainerSpec(id=name, name=name, created=NOW - age, image_id="", config=Config(labels=labels))
        self.state = State(status=status)


VIEWS = [
    View("run", Status.RUNNING, HOUR),
    View("again", Status.RESTARTING),
    View("new", Status.CREATED),
    View("old", Status.EXITED, 2 * HOUR, {"keep": "1"}),
    View("dead", Status.DEAD, HOUR),
]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["new", "old", "dead"]),
        ({"until": ["90m"]}, ["old"]),
        ({"label": ["keep"]}, ["old"]),
        ({"label!": ["keep"]}, ["new", "dead"]),
        ({"label!": ["keep"], "until": ["30m"]}, ["dead"]),
    ],
)
def test_stopped_containers_that_match(filters, names):
    assert [view.spec.name for view in prunable(VIEWS, filters, NOW)] == names


@pytest.mark.parametrize(
    ("filters", "words"),
    [({"foo": ["x"]}, "invalid filter 'foo'"), ({"until": ["x"]}, 'failed to parse value as time or duration: "x"')],
)
def test_wrong_filters(filters, words):
    with pytest.raises(InvalidParameterError) as error:
        prunable(VIEWS, filters, NOW)
    assert str(error.value) == words


async def test_one_that_was_started_meanwhile_is_passed_over():
    async def remove(view):
        if view.spec.name == "old":
            raise ConflictError("it runs")
        return 100

    assert await prune(VIEWS, {}, NOW, remove) == (["new", "dead"], 200)
