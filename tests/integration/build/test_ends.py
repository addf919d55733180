"""How a build ends before its end: told to, or because nobody waits for it any more. Nothing is left, and others go on."""

import contextlib
import http.client
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from support.builds import Built, build, context
from support.daemon import Daemon, UnixConnection
from support.remains import assert_nothing_left, family, settled

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

LONG = "FROM busybox\nRUN echo begun; sleep 1000 & sleep 1000\n"


class Running(threading.Thread):
    """A build in a thread; `found` stays None when the daemon goes before its end."""

    def __init__(self, daemon: Daemon, text: str, **query: object) -> None:
        super().__init__(daemon=True)
        self._build: Callable[[], Built] = lambda: build(daemon, text, **query)
        self.found: Built | None = None
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.found = self._build()


def sleepers(daemon: Daemon) -> int:
    """Return how many programs of builds are still there."""
    found = 0
    for pid in family(daemon):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += b"sleep\x001000" in file.read()
        except OSError:
            continue
    return found


def test_a_build_is_cancelled_by_its_id(argosyd):
    running = Running(argosyd, LONG, buildid="one", t="never")
    other = Running(argosyd, LONG.replace("begun", "other"), buildid="two")
    assert settled(lambda: sleepers(argosyd), 4) == 4
    argosyd.api("POST", "/build/cancel?id=one")
    running.join(20)
    assert running.found is not None and "cancel" in running.found.error
    assert settled(lambda: sleepers(argosyd), 2) == 2 and other.is_alive()
    argosyd.api("POST", "/build/cancel?id=two")
    other.join(20)
    assert settled(lambda: sleepers(argosyd), 0) == 0
    assert argosyd.api.raw("GET", "/images/never/json")[0] == 404
    assert_nothing_left(argosyd)
    argosyd.api("POST", "/build/cancel?id=one")
    assert argosyd.api.raw("POST", "/build/cancel")[0] == 400


def test_a_step_goes_on_while_another_build_waits_for_it(argosyd):
    text = "FROM busybox\nRUN --mount=type=cache,target=/c,id=flag echo begun; until test -e /c/go; do sleep 0.1; done; echo ended\n"
    one = Running(argosyd, text, buildid="one")
    two = Running(argosyd, text, buildid="two")
    directory = argosyd.data_root / "build/mounts"
    settled(lambda: len(list(directory.iterdir())), 1)
    (place,) = directory.iterdir()
    # Both have joined when both have been told of it: the second one's stream repeats what was said before it came.
    time.sleep(0.5)
    argosyd.api("POST", "/build/cancel?id=one")
    one.join(20)
    (place / "go").touch()
    two.join(20)
    assert one.found is not None and "cancel" in one.found.error
    assert two.found is not None and two.found.error == "" and "ended" in two.found.text
    assert_nothing_left(argosyd)


@pytest.mark.parametrize("text", [LONG, "FROM busybox AS a\nRUN sleep 1000\nFROM busybox\nRUN sleep 1000; true\nCOPY --from=a /etc /e\n"])
def test_a_client_that_goes_away_takes_its_build_along(argosyd, text):
    connection = UnixConnection(argosyd.socket)
    connection.request("POST", "/v1.51/build", context({"Dockerfile": text}))
    answer = connection.getresponse()
    assert settled(lambda: sleepers(argosyd), 2) == 2
    assert connection.sock
    connection.sock.close()
    answer.close()
    connection.close()
    assert settled(lambda: sleepers(argosyd), 0) == 0
    assert_nothing_left(argosyd)
    assert list((argosyd.data_root / "build/tmp").iterdir()) == list((argosyd.data_root / "build/contexts").iterdir()) == []


def test_a_client_that_sends_half_a_context_leaves_nothing(argosyd):
    connection = UnixConnection(argosyd.socket)
    connection.putrequest("POST", "/v1.51/build")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"x" * 1000)
    assert settled(lambda: len(list((argosyd.data_root / "build/contexts").iterdir())), 1) == 1
    connection.close()
    assert settled(lambda: len(list((argosyd.data_root / "build/contexts").iterdir())), 0) == 0
    assert_nothing_left(argosyd)


def test_our_own_client_interrupted_ends_the_build(argosyd, tmp_path):
    (tmp_path / "Dockerfile").write_text(LONG)
    enter = ["nsenter", f"--net=/run/netns/{argosyd.name}"]
    client = subprocess.Popen(
        [*enter, sys.executable, "-m", "argosy.cli", "-H", argosyd.host, "build", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert settled(lambda: sleepers(argosyd), 2) == 2
    client.send_signal(signal.SIGINT)
    _, error = client.communicate(timeout=20)
    assert client.returncode == 130 and b"Traceback" not in error
    assert settled(lambda: sleepers(argosyd), 0) == 0
    assert_nothing_left(argosyd)


def test_the_daemon_that_ends_ends_its_builds(argosyd):
    running = Running(argosyd, LONG)
    assert settled(lambda: sleepers(argosyd), 2) == 2
    assert argosyd.stop() == 0
    running.join(20)
    argosyd.start()
    assert settled(lambda: sleepers(argosyd), 0) == 0
    assert_nothing_left(argosyd)
