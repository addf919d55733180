"""Requests, answers and events on one connection."""

import asyncio
import os
import socket
from typing import Any

import pytest

from argosy.runtime.client.connection import Closed, Connection, RequestFailed
from argosy.runtime.shim import wire


class Peer:
    """The shim's end, and what our end heard."""

    def __init__(self) -> None:
        ours, self.socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.heard: list[Any] = []
        self.connection = Connection(ours, on_event=self.heard.append, on_close=lambda: self.heard.append("closed"))

    def request(self) -> tuple[dict[str, Any], list[int]]:
        received = wire.receive(self.socket)
        assert received is not None
        return received

    def answer(self, message: dict[str, Any]) -> None:
        wire.send(self.socket, message)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_answers_are_matched_by_number() -> None:
    peer = Peer()
    one = asyncio.ensure_future(peer.connection.call("one"))
    two = asyncio.ensure_future(peer.connection.call("two", x=1))
    await settle()
    first, _ = peer.request()
    second, _ = peer.request()
    assert (first["verb"], second["verb"], second["x"]) == ("one", "two", 1)
    peer.answer({"re": second["n"], "v": 2})
    peer.answer({"re": first["n"], "v": 1})
    assert (await one)["v"] == 1
    assert (await two)["v"] == 2
    peer.connection.close()


async def test_error_answer() -> None:
    peer = Peer()
    call = asyncio.ensure_future(peer.connection.call("exec"))
    await settle()
    peer.answer({"re": peer.request()[0]["n"], "error": {"kind": "start", "message": "no", "code": 127}})
    with pytest.raises(RequestFailed, match="no") as failed:
        await call
    assert (failed.value.kind, failed.value.code) == ("start", 127)
    peer.connection.close()


async def test_event_comes_after_whoever_waited_for_the_answer_before_it() -> None:
    peer = Peer()
    order: list[str] = []
    peer.connection._on_event = lambda message: order.append(message["event"])

    async def start() -> None:
        await peer.connection.call("exec")
        order.append("started")

    task = asyncio.ensure_future(start())
    await settle()
    peer.answer({"re": peer.request()[0]["n"], "pid": 1})
    peer.answer({"event": "ended"})
    await task
    await settle()
    assert order == ["started", "ended"]
    peer.connection.close()


async def test_end_fails_callers_and_comes_after_the_last_event() -> None:
    peer = Peer()
    call = asyncio.ensure_future(peer.connection.call("flush"))
    await settle()
    peer.answer({"event": "exit"})
    peer.socket.close()
    with pytest.raises(Closed):
        await call
    await settle()
    assert peer.heard == [{"event": "exit"}, "closed"]
    with pytest.raises(Closed):
        await peer.connection.call("flush")


async def test_fds_are_duplicated_and_wait_for_a_full_socket() -> None:
    peer = Peer()
    read, write = os.pipe()
    calls = [asyncio.ensure_future(peer.connection.call("attach", (write,), text="x" * 3000)) for _ in range(300)]
    await settle()
    os.close(write)
    for _ in calls:
        while True:
            peer.socket.setblocking(False)
            try:
                message, fds = peer.request()
                break
            except BlockingIOError:
                await asyncio.sleep(0)
        os.write(fds[0], b"y")
        wire.close_all(fds)
        peer.answer({"re": message["n"]})
    await asyncio.gather(*calls)
    assert os.read(read, 1000) == b"y" * 300
    assert os.read(read, 1) == b""
    os.close(read)
    peer.connection.close()
