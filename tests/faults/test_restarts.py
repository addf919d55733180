"""What the next daemon makes of what it finds: policies, `--rm`, pauses, health checks, streams, and a daemon beside it."""

import socket
import time
from collections.abc import Callable

import pytest

from support.daemon import Daemon
from support.remains import assert_nothing_left, settled

from .conftest import Witness, remove_all

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def run(daemon: Daemon, name: str, script: str, **host: object) -> str:
    """Create and start a container; return its id."""
    body = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": {"Init": True} | host}
    identity = str(daemon.api("POST", f"/containers/create?name={name}", body)["Id"])
    daemon.api("POST", f"/containers/{name}/start")
    return identity


def state(daemon: Daemon, name: str) -> dict[str, object]:
    """Return its State; empty when it is gone."""
    found = daemon.api("GET", f"/containers/{name}/json", ok=(200, 404))
    return dict(found.get("State", {}))


def restart(daemon: Daemon, how: str) -> None:
    """End argosyd, by a signal that it can answer or by one that it cannot, and start it again."""
    daemon.kill() if how == "killed" else daemon.stop()
    daemon.start()


HOW = pytest.mark.parametrize("how", ["killed", "stopped"])


@HOW
def test_policies_run_for_what_ended_while_the_daemon_was_away(argosyd: Daemon, how: str) -> None:
    count = "n=$(cat /n 2>/dev/null || echo 0); echo $((n+1)) >/n; "
    script = count + '[ "$n" = 0 ] && { until [ -e /end ]; do sleep 0.1; done; exit 7; }; sleep 600'
    policies = {"plain": "no", "again": "always", "failing": "on-failure", "unless": "unless-stopped"}
    for name, policy in policies.items():
        run(argosyd, name, script, RestartPolicy={"Name": policy})
    run(argosyd, "stopped", "sleep 600", RestartPolicy={"Name": "unless-stopped"})
    argosyd.api("POST", "/containers/stopped/stop?t=2")
    pids = {name: int(str(state(argosyd, name)["Pid"])) for name in policies}
    argosyd.kill() if how == "killed" else argosyd.stop()
    for pid in pids.values():
        with open(f"/proc/{pid}/root/end", "w"):
            pass
    time.sleep(1)
    argosyd.start()
    for name in ("again", "failing", "unless"):
        assert settled(lambda name=name: state(argosyd, name)["Running"], True) is True, name  # type: ignore[misc]
        assert argosyd.api("GET", f"/containers/{name}/json")["RestartCount"] == 1
    assert state(argosyd, "plain")["ExitCode"] == 7
    assert state(argosyd, "plain")["Status"] == state(argosyd, "stopped")["Status"] == "exited"
    remove_all(argosyd)
    assert_nothing_left(argosyd)


@HOW
def test_what_was_to_be_removed_at_its_end_is_gone_with_its_volume(argosyd: Daemon, how: str) -> None:
    body = {"Image": "busybox", "Cmd": ["sleep", "1"], "Volumes": {"/data": {}}, "HostConfig": {"AutoRemove": True, "Init": True}}
    argosyd.api("POST", "/containers/create?name=brief", body)
    argosyd.api("POST", "/containers/brief/start")
    argosyd.kill() if how == "killed" else argosyd.stop()
    time.sleep(2)
    argosyd.start()
    assert settled(lambda: state(argosyd, "brief"), {}) == {}
    assert settled(lambda: argosyd.api("GET", "/volumes")["Volumes"] or [], []) == []
    assert_nothing_left(argosyd)


@HOW
def test_a_paused_container_is_taken_up_paused(argosyd: Daemon, how: str) -> None:
    run(argosyd, "frozen", "while :; do sleep 0.1; done")
    argosyd.api("POST", "/containers/frozen/pause")
    restart(argosyd, how)
    assert state(argosyd, "frozen")["Status"] == "paused"
    argosyd.api("POST", "/containers/frozen/unpause")
    assert state(argosyd, "frozen")["Status"] == "running"
    argosyd.api("POST", "/containers/frozen/exec", {"Cmd": ["true"]})
    argosyd.api("POST", "/containers/frozen/stop?t=1")
    remove_all(argosyd)
    assert_nothing_left(argosyd)


def test_a_pause_right_before_the_crash_is_seen(argosyd: Daemon) -> None:
    """Start, pause and kill in one breath: nothing of it need have been written."""
    for turn in range(3):
        run(argosyd, f"turn{turn}", "sleep 600")
        argosyd.api("POST", f"/containers/turn{turn}/pause")
        argosyd.kill()
        argosyd.start()
        assert state(argosyd, f"turn{turn}")["Status"] == "paused"
    remove_all(argosyd)
    assert_nothing_left(argosyd)


@HOW
def test_health_checks_go_on(argosyd: Daemon, how: str) -> None:
    check = {"Test": ["CMD-SHELL", "test -e /well"], "Interval": 200_000_000, "Timeout": 5_000_000_000, "Retries": 1}
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Healthcheck": check, "HostConfig": {"Init": True}}
    argosyd.api("POST", "/containers/create?name=checked", body)
    argosyd.api("POST", "/containers/checked/start")

    def health() -> object:
        return argosyd.api("GET", "/containers/checked/json")["State"]["Health"]["Status"]

    assert settled(health, "unhealthy") == "unhealthy"
    restart(argosyd, how)
    pid = state(argosyd, "checked")["Pid"]
    with open(f"/proc/{pid}/root/well", "w"):
        pass
    assert settled(health, "healthy") == "healthy"
    remove_all(argosyd)
    assert_nothing_left(argosyd)


def test_a_probe_that_hangs_does_not_outlive_its_daemon(argosyd: Daemon) -> None:
    check = {"Test": ["CMD", "sleep", "4242"], "Interval": 100_000_000, "Timeout": 600_000_000_000}
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Healthcheck": check, "HostConfig": {"Init": True}}
    argosyd.api("POST", "/containers/create?name=checked", body)
    argosyd.api("POST", "/containers/checked/start")

    def probes() -> int:
        return sum("4242" in " ".join(words) for words in argosyd.api("GET", "/containers/checked/top")["Processes"])

    assert settled(probes, 1) == 1
    for _ in range(3):
        restart(argosyd, "killed")
    assert settled(probes, 1) == 1
    remove_all(argosyd)
    assert_nothing_left(argosyd)


def upgraded(daemon: Daemon, route: str, body: bytes = b"") -> socket.socket:
    """Return the stream of an attach or exec start, after the answer's headers."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(30)
    stream.connect(str(daemon.socket))
    head = f"POST /v1.51{route} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
    stream.sendall(head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        piece = stream.recv(1)
        assert piece, received
        received += piece
    assert received.startswith(b"HTTP/1.1 101"), received
    return stream


def until_echoed(stream: socket.socket, line: bytes) -> None:
    """Send a line and read until it comes back."""
    stream.sendall(line + b"\n")
    received = b""
    while line not in received:
        piece = stream.recv(4096)
        assert piece, received
        received += piece


def test_attached_clients_and_execs_go_on(argosyd: Daemon) -> None:
    body = {"Image": "busybox", "Cmd": ["cat"], "OpenStdin": True, "AttachStdin": True, "AttachStdout": True}
    argosyd.api("POST", "/containers/create?name=echo", body)
    argosyd.api("POST", "/containers/echo/start")
    attached = upgraded(argosyd, "/containers/echo/attach?stream=1&stdin=1&stdout=1")
    execution = argosyd.api("POST", "/containers/echo/exec", {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True})["Id"]
    executed = upgraded(argosyd, f"/exec/{execution}/start", b'{"Detach": false, "Tty": false}')
    for stream in (attached, executed):
        until_echoed(stream, b"before")
    argosyd.kill()
    for stream in (attached, executed):
        until_echoed(stream, b"while the daemon is away")
    argosyd.start()
    for stream in (attached, executed):
        until_echoed(stream, b"after")
        stream.close()
    remove_all(argosyd)
    assert_nothing_left(argosyd)


def test_a_volume_with_a_mount_stays_mounted_while_it_is_used_and_no_longer(argosyd: Daemon) -> None:
    options = {"Name": "memory", "DriverOpts": {"type": "tmpfs", "device": "tmpfs"}}
    argosyd.api("POST", "/volumes/create", options)
    run(argosyd, "first", "echo kept >/data/file; sleep 600", Binds=["memory:/data"])
    run(argosyd, "second", "sleep 600", Binds=["memory:/data"])
    argosyd.kill()
    argosyd.start()
    argosyd.api("DELETE", "/containers/second?force=1")
    assert argosyd.argosy("run", "--rm", "-v", "memory:/data", "busybox", "cat", "/data/file").stdout == "kept\n"
    argosyd.kill()
    argosyd.start()
    argosyd.api("DELETE", "/containers/first?force=1")
    assert_nothing_left(argosyd)
    argosyd.api("DELETE", "/volumes/memory")


def test_a_second_daemon_is_not_touched(daemons: Callable[..., Daemon]) -> None:
    other = Witness(daemons())
    other.start()
    pid = other.pid()
    links = other.daemon.run_inside(["ip", "-br", "link"]).stdout
    daemon = daemons()
    run(daemon, "doomed", "sleep 600")
    for _ in range(2):
        daemon.kill()
        daemon.start()
    remove_all(daemon)
    assert_nothing_left(daemon)
    assert other.pid() == pid
    assert other.daemon.run_inside(["ip", "-br", "link"]).stdout == links
    other.assert_unbroken()
