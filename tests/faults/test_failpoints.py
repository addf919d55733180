"""The daemon dies at each place that the sources name: the next one finishes or undoes, and nobody inside noticed."""

import http.client
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.images import busybox_tar
from support.remains import assert_nothing_left, settled

from .conftest import Witness, remove_all

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
SOURCES = Path(__file__).resolve().parents[2] / "src/argosy"
POINT = re.compile(r"""(?:failpoints\.|\b)hit\(\s*"([a-z0-9_.-]+)"\s*\)""")


def failpoints() -> list[str]:
    """Return the names of all failpoints in the sources."""
    return sorted({name for path in SOURCES.rglob("*.py") for name in POINT.findall(path.read_text())})


def everything(daemon: Daemon) -> None:
    """Do one of everything that changes state. Raises OSError when the daemon dies meanwhile."""
    api = daemon.api
    header = {"Content-Type": "application/x-tar"}
    assert api.raw("POST", "/images/create?fromSrc=-&repo=extra&tag=1", busybox_tar(), header)[0] == 200
    api("POST", "/networks/create", {"Name": "inner"})
    api("POST", "/volumes/create", {"Name": "kept"})
    body = {
        "Image": "busybox",
        "Cmd": ["sh", "-c", "echo begun; sleep 600"],
        "Volumes": {"/anonymous": {}},
        "HostConfig": {"Init": True, "Binds": ["kept:/data"], "NetworkMode": "inner"},
    }
    api("POST", "/containers/create?name=once", body)
    api("POST", "/containers/once/start")
    execution = api("POST", "/containers/once/exec", {"Cmd": ["touch", "/made"], "AttachStdout": True})["Id"]
    api("POST", f"/exec/{execution}/start", {"Detach": False})
    api("POST", "/commit?container=once&repo=committed&tag=1", {})
    api("POST", "/containers/once/update", {"Memory": 64 << 20, "MemorySwap": 64 << 20})
    api("POST", "/containers/once/pause")
    api("POST", "/containers/once/unpause")
    api("POST", "/containers/once/rename?name=twice")
    api("POST", "/containers/twice/restart?t=2")
    api("POST", "/containers/twice/stop?t=2")
    api("DELETE", "/containers/twice?v=1")
    api("DELETE", "/volumes/kept")
    api("DELETE", "/networks/inner")
    api("DELETE", "/images/committed:1")
    api("DELETE", "/images/extra:1")


def put_in_order(daemon: Daemon) -> None:
    """Remove what a scenario that was broken off left, through the API: each removal must work whatever was half done."""
    remove_all(daemon, but="witness")
    for kind, key in (("volumes/kept", ""), ("networks/inner", ""), ("images/committed:1?force=1", ""), ("images/extra:1?force=1", "")):
        status = daemon.api.raw("DELETE", f"/{kind}{key}")[0]
        assert status in {200, 204, 404}, (kind, status)


@pytest.mark.parametrize("point", failpoints())
def test_dying_at_a_failpoint_is_mended_at_the_next_start(point: str, daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    witness = Witness(daemon)
    witness.start()
    pid = witness.pid()
    daemon.stop()
    daemon.environ = {"ARGOSY_FAILPOINTS": f"{point}=kill"}
    daemon.start(wait=False)
    with pytest.raises((OSError, http.client.HTTPException, AssertionError)) as broken_off:
        daemon.await_ready()
        everything(daemon)
        raise AssertionError(f"the scenario does not come by {point}")
    assert daemon.process
    assert settled(lambda: daemon.process and daemon.process.poll(), -signal.SIGKILL, 5) == -signal.SIGKILL, broken_off.value
    daemon.environ = {}
    daemon.start()
    assert witness.pid() == pid
    witness.assert_unbroken()
    put_in_order(daemon)
    assert_nothing_left(daemon)
    # Docker's `rm -v`, and a create that did not come to its end, take anonymous volumes along.
    assert settled(lambda: daemon.api("GET", "/volumes")["Volumes"] or [], []) == []
    everything(daemon)
    assert_nothing_left(daemon)
    witness.assert_unbroken()
