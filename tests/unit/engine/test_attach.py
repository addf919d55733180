import asyncio
import functools
import json
import os
import socket
from types import SimpleNamespace

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.attach import attach, detach_keys
from argosy.engine.logs import LogQuery, Past
from argosy.engine.model import Status
from argosy.runtime.model import AttachRequest, LogPlan


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-a,a,ctrl-@", b"\x01a\x00"),
        ("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x1b\x1c\x1d\x1e\x1f"),
        ("ctrl-Z", b"\x1a"),
    ],
)
def test_keys_become_the_bytes_a_terminal_sends(text, keys):
    assert detach_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-pp", "ctrl-1", "é", "a,,b"])
def test_bad_keys_are_refused(text):
    with pytest.raises(InvalidParameterError, match="Invalid detach keys"):
        detach_keys(text)


class Connection:
    def __init__(self):
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.multiplexed = None

    async def take(self, *, multiplexed):
        self.multiplexed = multiplexed
        return self.there.detach(), b""

    async def read(self):
        return await asyncio.get_running_loop().sock_recv(self.here, 1000)


def stopped(*, tty=False):
    config = SimpleNamespace(open_stdin=False, tty=tty)
    return SimpleNamespace(id="x", state=SimpleNamespace(status=Status.EXITED), spec=SimpleNamespace(config=config), shim=None, pending=[])


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.write_text(json.dumps({"log": "said\n", "stream": "stdout", "time": "2026-01-01T00:00:00.123456789Z"}) + "\n")
    return functools.partial(Past, LogPlan("json-file", str(path)), LogQuery())


def wanted(**changes):
    return AttachRequest(**({"stdin": False, "stdout": True, "stderr": True} | changes))


@pytest.mark.parametrize(("multiplexed", "tty"), [(True, False), (False, False), (True, True)])
async def test_the_log_alone_then_the_end(log, multiplexed, tty):
    connection, framed = Connection(), multiplexed and not tty
    await attach(stopped(tty=tty), wanted(multiplexed=multiplexed), connection, stream=False, log=log)
    assert connection.multiplexed is framed
    assert await connection.read() == (b"\x01\0\0\0\0\0\0\x05" if framed else b"") + b"said\n"
    assert await connection.read() == b""
    connection.here.close()


async def test_a_client_of_a_stopped_container_gets_the_log_and_waits_for_the_start(log):
    before = len(os.listdir("/proc/self/fd"))
    container, connection = stopped(), Connection()
    attached = asyncio.ensure_future(attach(container, wanted(), connection, stream=True, log=log))
    assert (await connection.read()).endswith(b"said\n")
    while not container.pending:
        await asyncio.sleep(0)
    attached.cancel()
    await asyncio.wait([attached])
    assert not container.pending
    assert await connection.read() == b""
    connection.here.close()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_client_that_leaves_while_it_gets_the_log_is_no_error(log):
    connection = Connection()
    connection.here.close()
    await attach(stopped(), wanted(), connection, stream=True, log=log)
