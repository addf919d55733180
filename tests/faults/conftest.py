"""What the fault tests share: a load that goes on while things die, and what must be true afterwards."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from support.daemon import Daemon
from support.remains import settled


@dataclass
class Witness:
    """A container that counts aloud, ten times a second: what it printed shows whether it ever noticed."""

    daemon: Daemon
    name: str = "witness"
    seen: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start it, on a network of its own, with a name that others can look up."""
        script = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done"
        body = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": {"Init": True}}
        self.daemon.api("POST", f"/containers/create?name={self.name}", body)
        self.daemon.api("POST", f"/containers/{self.name}/start")

    def pid(self) -> int:
        """Return its first process."""
        return int(self.daemon.api("GET", f"/containers/{self.name}/json")["State"]["Pid"])

    def numbers(self) -> list[int]:
        """Return what it printed so far, as the log has it."""
        raw = self.daemon.api.raw("GET", f"/containers/{self.name}/logs?stdout=1")[2]
        lines = b""
        while len(raw) >= 8:
            size = int.from_bytes(raw[4:8], "big")
            lines += raw[8 : 8 + size]
            raw = raw[8 + size :]
        return [int(line) for line in lines.split()]

    def assert_unbroken(self) -> None:
        """It runs, it is the same process tree, and not one number is missing from its log."""
        view = self.daemon.api("GET", f"/containers/{self.name}/json")
        assert view["State"]["Running"] and view["RestartCount"] == 0
        numbers = self.numbers()
        assert numbers == list(range(len(numbers))) and numbers


class Load:
    """Clients that create, start, exec, read logs, stop and remove, one round after the other, until told to end.

    What fails because the daemon is away is expected and counted; what fails otherwise is kept in ``errors``.
    """

    def __init__(self, daemon: Daemon, width: int = 2) -> None:
        self.daemon = daemon
        self.rounds = 0
        self.errors: list[str] = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(width)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self, number: int) -> None:
        turn = 0
        while not self._end.is_set():
            turn += 1
            try:
                self._round(f"load-{number}-{turn}")
                self.rounds += 1
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            except AssertionError as error:
                # A daemon that starts again has undone or finished what was half done: conflicts are answers, server errors are not.
                if ": 5" in str(error):
                    self.errors.append(str(error))

    def _round(self, name: str) -> None:
        api = self.daemon.api
        body = {"Image": "busybox", "Cmd": ["sh", "-c", "echo begun; sleep 600"], "HostConfig": {"Init": True}}
        api("POST", f"/containers/create?name={name}", body, timeout=20)
        api("POST", f"/containers/{name}/start", timeout=20)
        execution = api("POST", f"/containers/{name}/exec", {"Cmd": ["true"], "AttachStdout": True}, timeout=20)["Id"]
        api("POST", f"/exec/{execution}/start", {"Detach": True}, timeout=20)
        api.raw("GET", f"/containers/{name}/logs?stdout=1", timeout=20)
        api("POST", f"/containers/{name}/stop?t=2", timeout=20)
        api("DELETE", f"/containers/{name}?force=1", ok=(204, 404, 409), timeout=20)


def remove_all(daemon: Daemon, but: str = "") -> None:
    """Remove every container, except one by name."""
    for view in daemon.api("GET", "/containers/json?all=1"):
        if view["Names"] != [f"/{but}"]:
            with contextlib.suppress(AssertionError):
                daemon.api("DELETE", f"/containers/{view['Id']}?force=1&v=1", ok=(204, 404, 409))
    settled(lambda: len(daemon.api("GET", "/containers/json?all=1")), int(bool(but)), 30)
    left = [view["Names"] for view in daemon.api("GET", "/containers/json?all=1")]
    assert left == ([[f"/{but}"]] if but else []), left


@pytest.fixture
def witness(argosyd: Daemon) -> Iterator[Witness]:
    """A daemon with a witness running."""
    made = Witness(argosyd)
    made.start()
    yield made
