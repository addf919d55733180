"""Builds, pulls, prunes and runs at one time: each does what it says, and when all is removed nothing is left."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.builds import build, run
from support.daemon import Daemon
from support.images import busybox_tar
from support.registry import Server
from support.remains import assert_nothing_left, settled

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.usefixtures("leak_check")]

ROUNDS = 6
TEXT = (
    "FROM busybox AS one\nRUN echo shared > /shared\nFROM one\nRUN echo {0} > /own; dd if=/dev/zero of=/big bs=4096 count=64 2>/dev/null\n"
    "COPY f /f\nCOPY --link f /linked\nCOPY --from=one /shared /copied\nRUN --mount=type=cache,target=/c echo {0} >> /c/f\n"
)


@pytest.fixture
def registry(argosyd: Daemon, tmp_path) -> Iterator[str]:
    with Server(tmp_path / "registry", netns=argosyd.name) as server:
        yield server.address


def messages(daemon: Daemon, route: str) -> None:
    status, _, data = daemon.api.raw("POST", route, None, {"X-Registry-Auth": "e30="})
    assert status == 200 and not any("error" in json.loads(line) for line in data.splitlines() if line.strip()), data[-300:]


def test_nobody_takes_anything_from_anybody(argosyd, registry):
    api = argosyd.api
    for number in range(2):
        name = f"{registry}/pulled{number}"
        api.raw("POST", f"/images/create?fromSrc=-&repo={name}&tag=1", busybox_tar(), {"Content-Type": "application/x-tar"})
        messages(argosyd, f"/images/{name}/push?tag=1")
        api("DELETE", f"/images/{name}:1")
    over = threading.Event()
    counts = {"pull": 0, "prune": 0, "run": 0}

    def builds(who: int) -> None:
        for turn in range(ROUNDS):
            found = build(argosyd, TEXT.format(f"{who}.{turn}"), {"f": f"{who}\n"}, t=f"built{who}:{turn}")
            assert found.error == "" and found.id, found
            seen = run(argosyd, f"built{who}:{turn}", "cat", "/shared", "/own", "/f", "/linked", "/copied")
            assert seen == f"shared\n{who}.{turn}\n{who}\n{who}\nshared\n"

    def pulls(who: int) -> None:
        name = f"{registry}/pulled{who}"
        while not over.is_set():
            messages(argosyd, f"/images/create?fromImage={name}&tag=1")
            assert run(argosyd, f"{name}:1", "/bin/busybox", "echo", "pulled") == "pulled\n"
            api("DELETE", f"/images/{name}:1")
            counts["pull"] += 1

    def prunes() -> None:
        while not over.is_set():
            api("POST", "/build/prune?all=1")
            api("POST", "/images/prune")
            counts["prune"] += 1

    def runs() -> None:
        while not over.is_set():
            assert run(argosyd, "busybox", "echo", "ran") == "ran\n"
            counts["run"] += 1

    with ThreadPoolExecutor(6) as pool:
        others = [pool.submit(each) for each in (lambda: pulls(0), lambda: pulls(1), prunes, runs)]
        building = [pool.submit(builds, who) for who in range(2)]
        try:
            for one in building:
                one.result()
        finally:
            over.set()
        for one in others:
            one.result()
    assert min(counts.values()) > 0, counts
    assert api("GET", "/containers/json?all=1") == []
    remove = [f"built{who}:{turn}" for who in range(2) for turn in range(ROUNDS)]
    _all_is_whole(argosyd, remove)
    for name in remove:
        api("DELETE", f"/images/{name}")
    api("POST", "/build/prune?all=1")
    _only_the_base_is_left(argosyd, settled)
    assert_nothing_left(argosyd)


def _all_is_whole(daemon: Daemon, names: list[str]) -> None:
    """What was built is there also for the next daemon, which reads what is on the disk."""
    daemon.kill()
    daemon.start()
    for name in names[:: ROUNDS - 1]:
        who, turn = name.removeprefix("built").split(":")
        assert run(daemon, name, "cat", "/own", "/linked") == f"{who}.{turn}\n{who}\n"


def _only_the_base_is_left(daemon: Daemon, wait: Callable[..., object]) -> None:
    layers = daemon.data_root / "overlay2/layers"
    assert wait(lambda: len([path for path in layers.iterdir() if not path.name.endswith(".init")]), 1) == 1
    # Its layer, its configuration and its manifest at most.
    assert len(list((daemon.data_root / "content/blobs").glob("*/*"))) <= 3
    assert daemon.api("GET", "/system/df")["BuildCache"] == []
    assert list((daemon.data_root / "build/mounts").iterdir()) == []
