"""Short words for what these tests do over and over: run something, hear what it said."""

import time
from collections.abc import Callable

from support.daemon import Daemon


def start(daemon: Daemon, name: str, script: str, *, image: str = "busybox", **host: object) -> str:
    """Create and start a container that runs a shell script; return its id."""
    body = {"Image": image, "Cmd": ["sh", "-c", script], "HostConfig": {"Init": True} | host}
    identity = str(daemon.api("POST", f"/containers/create?name={name}", body)["Id"])
    daemon.api("POST", f"/containers/{name}/start")
    return identity


def said(daemon: Daemon, script: str, **options: object) -> str:
    """Run a script in a container of its own and return all that it printed."""
    identity = _once(daemon, script, **options)  # type: ignore[arg-type]
    daemon.api("POST", f"/containers/{identity}/wait", timeout=120)
    text = log(daemon, identity)
    daemon.api("DELETE", f"/containers/{identity}?v=1")
    return text


def _once(daemon: Daemon, script: str, *, image: str = "busybox", **host: object) -> str:
    body = {"Image": image, "Cmd": ["sh", "-c", script], "HostConfig": host}
    identity = str(daemon.api("POST", "/containers/create", body)["Id"])
    daemon.api("POST", f"/containers/{identity}/start")
    return identity


def log(daemon: Daemon, name: str) -> str:
    """Return what a container printed so far, both streams."""
    return unframed(daemon.api.raw("GET", f"/containers/{name}/logs?stdout=1&stderr=1")[2])


def executed(daemon: Daemon, name: str, *command: str) -> tuple[int, str]:
    """Run a command in a running container; return its exit code and what it printed."""
    body = {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
    execution = daemon.api("POST", f"/containers/{name}/exec", body)["Id"]
    output = unframed(daemon.api.raw("POST", f"/exec/{execution}/start", {"Detach": False})[2])
    return int(daemon.api("GET", f"/exec/{execution}/json")["ExitCode"]), output


def unframed(raw: bytes) -> str:
    """Return the payloads of Docker's stream frames."""
    text = b""
    while len(raw) >= 8:
        size = int.from_bytes(raw[4:8], "big")
        text += raw[8 : 8 + size]
        raw = raw[8 + size :]
    return text.decode(errors="replace")


def until(what: Callable[[], bool]) -> None:
    """Return when it is so: for what an engine does after its answer."""
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)
