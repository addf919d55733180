"""Streams and clients on a real loop, with pipes in place of a program."""

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from argosy.runtime.shim import streams as streaming
from argosy.runtime.shim.client import BOUND, Client
from argosy.runtime.shim.loop import Loop
from argosy.runtime.shim.streams import Streams, input_pipe, output_pipe


class Log:
    full = False

    def __init__(self) -> None:
        self.text = {1: b"", 2: b""}
        self.ended: list[int] = []

    def write(self, stream: int, data: bytes) -> None:
        self.text[stream] += data

    def end(self, stream: int) -> None:
        self.ended.append(stream)

    def close(self) -> None: ...


class Rig:
    def __init__(self, *, log: bool = True, stdin_once: bool = True) -> None:
        self.loop = Loop()
        self.log = Log() if log else None
        out, self.out = output_pipe()
        err, self.err = output_pipe()
        self.program_in, stdin = input_pipe()
        self.left: list[str] = []
        self.ends = 0
        self.streams = Streams(
            self.loop,
            outputs={out: 1, err: 2},
            stdin=stdin,
            terminal=False,
            stdin_once=stdin_once,
            log=self.log,
            ended=self._ended,
            left=lambda client, reason: self.left.append(reason),
        )

    def _ended(self) -> None:
        self.ends += 1

    def attach(self, *, stdin: bool = False, foreground: bool = True, first: bytes = b"") -> tuple[Client, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        client = self.streams.attach(
            theirs.detach(), streams=frozenset({1, 2}), stdin=stdin, multiplexed=True, keys=b"", foreground=foreground, first=first
        )
        return client, ours

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if done():
                return
            self.loop.step(0.01)
        raise AssertionError("nothing more happens")

    def settle(self) -> None:
        for _ in range(3):
            self.loop.step(0)


@pytest.fixture
def rig() -> Iterator[Rig]:
    yield Rig()


def receive(sock: socket.socket) -> bytes:
    text = b""
    try:
        while data := sock.recv(1 << 20):
            text += data
    except BlockingIOError:
        pass
    return text


def test_log_and_client_get_output_with_headers(rig: Rig) -> None:
    _, sock = rig.attach()
    os.write(rig.out, b"hello")
    os.write(rig.err, b"bad")
    rig.settle()
    assert rig.log is not None
    assert rig.log.text == {1: b"hello", 2: b"bad"}
    assert receive(sock) == b"\x01\0\0\0\0\0\0\x05hello\x02\0\0\0\0\0\0\x03bad"


def test_end_is_told_once_when_all_outputs_are_closed(rig: Rig) -> None:
    os.close(rig.out)
    rig.settle()
    assert rig.ends == 0
    os.close(rig.err)
    rig.settle()
    assert rig.ends == 1
    assert rig.log is not None
    assert sorted(rig.log.ended) == [1, 2]


def test_input_half_close_reaches_the_program_after_the_data(rig: Rig) -> None:
    _, sock = rig.attach(stdin=True, first=b"one ")
    sock.sendall(b"two")
    sock.shutdown(socket.SHUT_WR)
    rig.settle()
    assert os.read(rig.program_in, 100) == b"one two"
    assert os.read(rig.program_in, 100) == b""
    os.write(rig.out, b"answer")
    rig.settle()
    assert receive(sock).endswith(b"answer")


def test_client_pauses_while_the_program_does_not_read(rig: Rig) -> None:
    _, sock = rig.attach(stdin=True)
    sent = 0
    data = bytes(range(256)) * 256
    for _ in range(200):
        try:
            sent += sock.send(data[sent % 65536 :])
        except BlockingIOError:
            rig.settle()
    assert sent < 4_000_000
    sock.shutdown(socket.SHUT_WR)
    sock.close()  # gone altogether; what it sent still arrives
    got = b""
    os.set_blocking(rig.program_in, False)
    for _ in range(10_000):
        rig.loop.step(0)
        try:
            piece = os.read(rig.program_in, 1 << 20)
        except BlockingIOError:
            continue
        if not piece:
            break
        got += piece
    assert len(got) == sent
    assert got == (data * (sent // 65536 + 1))[:sent]


def test_foreground_client_holds_the_program_up_and_loses_nothing(rig: Rig) -> None:
    client, sock = rig.attach()
    os.set_blocking(rig.out, False)
    written, chunk = 0, b"x" * 65536
    for _ in range(1000):
        try:
            written += os.write(rig.out, chunk)
        except BlockingIOError:
            rig.settle()
    assert client.queued >= BOUND
    assert written < 20_000_000  # the pipe is full and nobody takes from it
    os.close(rig.out)
    os.close(rig.err)
    text = b""
    for _ in range(10_000):
        rig.loop.step(0)
        text += receive(sock)
        if rig.ends:
            break
    rig.streams.end_clients()
    rig.settle()
    text += receive(sock)
    assert text.count(b"x") == written
    assert rig.left == ["eof"]


def test_onlooker_is_let_go_and_the_program_goes_on(rig: Rig) -> None:
    client, sock = rig.attach(foreground=False)
    os.set_blocking(rig.out, False)
    written, chunk = 0, b"x" * 65536

    def write_on() -> bool:
        nonlocal written
        try:
            written += os.write(rig.out, chunk)
        except BlockingIOError:
            pass
        return written > 30_000_000

    rig.until(write_on)
    assert client.queued < BOUND
    text = b""

    def drained() -> bool:
        nonlocal text
        text += receive(sock)
        return bool(rig.left)

    rig.until(drained)
    assert rig.left == ["slow"]
    assert b"too slowly" in text + receive(sock)
    rig.settle()


def test_onlooker_holds_the_program_up_where_nothing_is_logged() -> None:
    rig = Rig(log=False)
    client, sock = rig.attach(foreground=False)
    os.set_blocking(rig.out, False)
    for _ in range(1000):
        try:
            os.write(rig.out, b"x" * 65536)
        except BlockingIOError:
            rig.settle()
    assert client.queued >= BOUND
    assert not rig.left
    sock.close()


def test_finish_takes_what_is_left_without_waiting_for_the_end(rig: Rig) -> None:
    os.write(rig.out, b"last words")
    rig.streams.finish()
    assert rig.log is not None
    assert rig.log.text[1] == b"last words"
    assert rig.streams.draining
    rig.streams.close()
    assert rig.ends == 1


def test_client_that_is_gone_is_noticed_at_the_next_output(rig: Rig) -> None:
    _, sock = rig.attach()
    sock.close()
    os.write(rig.out, b"x")
    rig.settle()
    assert rig.left == ["gone"]
    os.write(rig.out, b"y")
    rig.settle()
    assert rig.log is not None
    assert rig.log.text[1] == b"xy"


def test_timers_fire_once_and_can_be_taken_back() -> None:
    loop, fired = Loop(), []
    loop.later(0, lambda: fired.append("a"))
    cancel = loop.later(0, lambda: fired.append("b"))
    cancel()
    loop.step(0)
    loop.step(0)
    assert fired == ["a"]


def test_a_hold_stops_the_log_and_the_stream_goes_on_after_it() -> None:
    rig = Rig()
    os.write(rig.out, b"before\n")
    rig.until(lambda: rig.log is not None and rig.log.text[1] == b"before\n")
    rig.streams.hold("t")
    os.write(rig.out, b"after\n")
    flushed: list[int] = []
    rig.streams.flush(lambda: flushed.append(1))
    rig.loop.step(0)
    assert rig.log is not None
    assert (rig.log.text[1], flushed) == (b"before\n", [])
    assert rig.streams.holds("t")
    _, client = rig.attach(foreground=False)
    rig.streams.release("t")
    assert flushed == [1]
    rig.until(lambda: rig.log is not None and rig.log.text[1].endswith(b"after\n"))
    assert client.recv(100)[8:] == b"after\n"


def test_holds_end_together_when_the_first_is_a_second_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_PATIENCE", 0.02)
    rig = Rig()
    rig.streams.hold("one")
    rig.streams.hold("two")
    rig.streams.release("one")
    assert rig.streams.holds("two")
    os.write(rig.out, b"x\n")
    rig.until(lambda: rig.log is not None and rig.log.text[1] == b"x\n")
    assert not rig.streams.holds("two")


def test_the_end_of_the_program_ends_a_hold_and_what_it_left_is_taken() -> None:
    rig = Rig()
    rig.streams.hold("t")
    os.write(rig.out, b"last words")
    rig.streams.finish()
    assert not rig.streams.holds("t")
    rig.streams.hold("late")
    os.write(rig.out, b" and more")
    rig.streams.abandon()
    assert rig.log is not None
    assert rig.log.text[1] == b"last words and more"
