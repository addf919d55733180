"""Logs that go to servers: they arrive, ``docker logs`` reads them all the same, and a server that is gone costs no more than it should."""

import ctypes
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from integration.daemon.steps import log, start, until
from support.daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

_NEWNET = 0x40000000


def listening(daemon: Daemon, kind: int, port: int = 0) -> socket.socket:
    """Return a socket at a port (0: any free one) of 127.0.0.1 in the daemon's network namespace."""
    made: list[socket.socket] = []

    def make() -> None:
        space = os.open(f"/run/netns/{daemon.name}", os.O_RDONLY)
        assert ctypes.CDLL(None, use_errno=True).setns(space, _NEWNET) == 0
        os.close(space)
        made.append(socket.socket(socket.AF_INET, kind))
        made[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made[0].bind(("127.0.0.1", port))
        made[0].settimeout(30)
        if kind == socket.SOCK_STREAM:
            made[0].listen()

    # A thread may leave the namespace of its process (setns(2)), and ends with what it has seen.
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def place(receiver: socket.socket) -> str:
    return f"127.0.0.1:{receiver.getsockname()[1]}"


def run(daemon: Daemon, name: str, script: str, driver: str, **options: str) -> None:
    config = {key.replace("_", "-"): value for key, value in options.items()}
    start(daemon, name, script, LogConfig={"Type": driver, "Config": config})


def ended(daemon: Daemon, name: str) -> None:
    daemon.api("POST", f"/containers/{name}/wait", timeout=60)


def events(data: bytes) -> list[Any]:
    """Return the events that fluentd got; the last one may not be whole yet."""
    found, begin = [], 0
    for end in range(1, len(data) + 1):
        try:
            found.append(msgspec.msgpack.decode(data[begin:end]))
            begin = end
        except msgspec.DecodeError:
            continue
    return found


def senders(daemon: Daemon) -> list[str]:
    """Return the processes that send this daemon's logs: they hold nothing of it but its name space."""
    space = Path(f"/run/netns/{daemon.name}").stat().st_ino
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text() == "argosy-log\n" and (entry / "ns/net").stat().st_ino == space:
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_syslog_gelf_and_fluentd_get_what_the_program_prints_and_docker_logs_too(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    with listening(daemon, socket.SOCK_DGRAM) as syslog, listening(daemon, socket.SOCK_DGRAM) as gelf:
        run(daemon, "one", "echo hello; echo bad >&2", "syslog", syslog_address=f"udp://{place(syslog)}", tag="{{.Name}}")
        got = {syslog.recv(4096) for _ in range(2)}
        assert {(message[:4], message.rpartition(b": ")[2]) for message in got} == {(b"<30>", b"hello\n"), (b"<27>", b"bad\n")}
        assert all(b" one[" in message for message in got)
        run(daemon, "two", "echo hello", "gelf", gelf_address=f"udp://{place(gelf)}", gelf_compression_type="none")
        message = json.loads(gelf.recv(4096))
        assert (message["short_message"], message["_container_name"]) == ("hello", "two")
        assert message["_command"] == "sh -c echo hello"
    for name, lines in (("one", ["bad", "hello"]), ("two", ["hello"])):
        ended(daemon, name)
        assert sorted(log(daemon, name).split()) == lines
        assert daemon.api("GET", f"/containers/{name}/json")["LogPath"] == ""
    until(lambda: not senders(daemon))


def test_without_a_copy_there_is_nothing_to_read(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    with listening(daemon, socket.SOCK_DGRAM) as receiver:
        run(daemon, "one", "echo hello", "gelf", gelf_address=f"udp://{place(receiver)}", cache_disabled="true")
        ended(daemon, "one")
        status, _, answer = daemon.api.raw("GET", "/containers/one/logs?stdout=1")
    assert (status, json.loads(answer)["message"]) == (501, "configured logging driver does not support reading")


def test_a_killed_daemon_loses_nothing_that_goes_to_fluentd(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    with listening(daemon, socket.SOCK_STREAM) as listener:
        run(daemon, "one", "for i in $(seq 300); do echo $i; sleep 0.01; done", "fluentd", fluentd_address=place(listener))
        link, _ = listener.accept()
        if not link.recv(1, socket.MSG_PEEK):
            # The start's own look whether the server is there.
            link, _ = listener.accept()
        daemon.kill()
        got = b""
        with link:
            link.settimeout(60)
            while data := link.recv(65536):
                got += data
    assert [event[2]["log"] for event in events(got)] == [str(number) for number in range(1, 301)]
    daemon.start()
    assert log(daemon, "one").split() == [str(number) for number in range(1, 301)]


def test_a_server_that_takes_nothing_holds_the_program_up_only_if_it_has_to(daemons: Callable[..., Daemon]) -> None:
    """Blocking: the program waits, its shim does not. Not blocking: it ends as if nobody listened."""
    daemon = daemons()
    flood = "head -c 20000000 /dev/zero | tr '\\0' x | fold -w 100"
    with listening(daemon, socket.SOCK_STREAM) as listener:
        for name, more in (("held", {}), ("free", {"mode": "non-blocking", "max_buffer_size": "100k"})):
            run(daemon, name, flood, "fluentd", fluentd_address=place(listener), **more)
        ended(daemon, "free")
        assert daemon.api("GET", "/containers/held/json")["State"]["Running"]
        # The shim answers, for the program alone waits.
        body = {"Cmd": ["true"], "AttachStdout": True}
        execution = daemon.api("POST", "/containers/held/exec", body)["Id"]
        daemon.api.raw("POST", f"/exec/{execution}/start", {"Detach": False}, timeout=20)
        assert daemon.api("GET", f"/exec/{execution}/json")["ExitCode"] == 0
        daemon.api("POST", "/containers/held/kill")
        ended(daemon, "held")


def test_a_server_that_comes_later_gets_everything_from_the_beginning(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    with listening(daemon, socket.SOCK_STREAM) as listener:
        where = place(listener)
        listener.close()
        run(daemon, "one", "echo early; sleep 60", "fluentd", fluentd_address=where, fluentd_async="true", fluentd_retry_wait="100ms")
        until(lambda: "early" in log(daemon, "one"))
    with listening(daemon, socket.SOCK_STREAM, int(where.rpartition(":")[2])) as later:
        link, _ = later.accept()
        with link:
            until(lambda: bool(events(link.recv(65536, socket.MSG_PEEK))))
            assert events(link.recv(65536))[0][2]["log"] == "early"
    daemon.api("DELETE", "/containers/one?force=1")
