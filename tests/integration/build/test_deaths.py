"""The daemon killed at every boundary of a build: the next one finds whole layers or none, and builds."""

import http.client
import json

import pytest

from support.builds import build, run
from support.remains import assert_nothing_left

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

TEXT = "FROM busybox\nRUN echo one > /1\nCOPY f /2\nRUN --mount=type=cache,target=/c cp /2 /3\nENV A=b\n"
POINTS = [
    "build.step.begun:2",
    "build.step.applied",
    "build.step.applied:2",
    "build.step.sealed",
    "storage.draft.place:2",
    "storage.draft.synced",
    "storage.draft.record",
    "storage.draft.record:3",
    "build.finish",
    "build.settled",
    "build.recorded",
    "build.cache.settled",
    "build.cache.save",
    "transient.prepared",
    "transient.released:2",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(daemons, point):
    daemon = daemons(environ={"ARGOSY_FAILPOINTS": f"{point}=kill"})
    with pytest.raises((OSError, http.client.HTTPException, json.JSONDecodeError)):
        build(daemon, TEXT, {"f": "data\n"}, t="x")
        daemon.process.wait(10)
        raise OSError("it died after the answer")
    daemon.process.wait(10)
    daemon.environ.clear()
    daemon.start()
    layers = daemon.data_root / "overlay2/layers"
    for tree in layers.iterdir():
        assert tree.name.endswith(".init") or (tree / "record.json").exists(), "a half-made layer is visible"
    assert_nothing_left(daemon)
    assert list((daemon.data_root / "build/tmp").iterdir()) == list((daemon.data_root / "build/contexts").iterdir()) == []
    found = build(daemon, TEXT, {"f": "data\n"}, t="x")
    assert found.error == ""
    assert run(daemon, "x", "cat", "/1", "/2", "/3") == "one\ndata\ndata\n"
    assert_nothing_left(daemon)


def test_killed_while_pruning(daemons):
    for point in ("build.prune.chosen", "build.prune.removed", "build.cache.save", "build.prune.forgotten"):
        daemon = daemons()
        build(daemon, TEXT, {"f": "data\n"}, t="x")
        daemon.stop()
        daemon.environ["ARGOSY_FAILPOINTS"] = f"{point}=kill"
        daemon.start()
        with pytest.raises((OSError, http.client.HTTPException)):
            daemon.api("POST", "/build/prune?all=1")
        daemon.process.wait(10)
        daemon.environ.clear()
        daemon.start()
        assert run(daemon, "x", "cat", "/3") == "data\n"
        daemon.api("POST", "/build/prune?all=1")
        assert daemon.api("GET", "/system/df")["BuildCache"] == []
        assert list((daemon.data_root / "build/mounts").iterdir()) == []
        assert_nothing_left(daemon)
