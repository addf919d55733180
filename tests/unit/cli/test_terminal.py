"""Detach keys, the pump, signals' names."""

import os
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.cli.terminal.keys import DetachKeys, parse
from argosy.cli.terminal.pump import Pump
from argosy.cli.terminal.signals import forwardable, name
from argosy.client.sync import Channel


@pytest.mark.parametrize(
    ("text", "codes"),
    [("ctrl-p,ctrl-q", b"\x10\x11"), ("a,B", b"aB"), ("ctrl-[", b"\x1b"), ("ctrl-@,ctrl-_", b"\x00\x1f"), ("CTRL-X", b"\x18")],
)
def test_keys_are_spelt_as_dockers(text: str, codes: bytes) -> None:
    assert parse(text) == codes


@pytest.mark.parametrize("text", ["ctrl-1", "alt-x", "ctrl-", "", "ab"])
def test_unknown_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Unknown character"):
        parse(text)


def feed(keys: bytes, data: bytes, step: int) -> tuple[bytes, bool]:
    watching, out = DetachKeys(keys), b""
    for at in range(0, len(data), step):
        piece, done = watching.feed(data[at : at + step])
        out += piece
        if done:
            return out, True
    return out, False


@given(st.binary(max_size=40).filter(lambda data: b"\x10" not in data), st.binary(max_size=20), st.integers(1, 8))
def test_the_sequence_is_found_however_it_arrives(before: bytes, after: bytes, step: int) -> None:
    assert feed(b"\x10\x11", before + b"\x10\x11" + after, step) == (before, True)


@given(st.lists(st.sampled_from([b"\x10", b"x", b"\x10x"]), max_size=12), st.integers(1, 5))
def test_nothing_typed_is_lost_or_reordered(pieces: list[bytes], step: int) -> None:
    data = b"".join(pieces) + b"."
    assert feed(b"\x10\x11", data, step) == (data, False)


def test_without_keys_nothing_is_watched() -> None:
    assert feed(b"", b"\x10\x11", 1) == (b"\x10\x11", False)


def test_faults_of_our_own_are_not_forwarded() -> None:
    names = {name(number) for number in forwardable()}
    assert {"TERM", "INT", "HUP", "USR1", "QUIT", "CONT"} <= names
    assert not names & {"CHLD", "KILL", "STOP", "WINCH", "PIPE", "SEGV"}


class Pipes:
    """Our standard streams as pipes while a pump runs."""

    def __init__(self) -> None:
        self.saved = [os.dup(fd) for fd in range(3)]
        self.stdin, self.stdout, self.stderr = (os.pipe() for _ in range(3))
        os.dup2(self.stdin[0], 0)
        os.dup2(self.stdout[1], 1)
        os.dup2(self.stderr[1], 2)

    def close(self) -> tuple[bytes, bytes]:
        for fd, saved in enumerate(self.saved):
            os.dup2(saved, fd)
            os.close(saved)
        os.close(self.stdin[0])
        for pipe in (self.stdout, self.stderr):
            os.close(pipe[1])
        out = tuple(os.fdopen(pipe[0], "rb").read() for pipe in (self.stdout, self.stderr))
        return out[0], out[1]


def test_the_pump_carries_both_ways_and_half_closes() -> None:
    ours, theirs = socket.socketpair()
    got = b""

    def container() -> None:
        nonlocal got
        while data := theirs.recv(4096):
            got += data
        theirs.sendall(b"\x01\0\0\0\0\0\0\3out\x02\0\0\0\0\0\0\3err")
        theirs.close()

    thread = threading.Thread(target=container)
    thread.start()
    pipes = Pipes()
    try:
        os.write(pipes.stdin[1], b"typed")
        os.close(pipes.stdin[1])
        detached = Pump(Channel(ours, b"\x01\0\0\0\0\0\0\5early", ""), stdin=True, framed=True).run()
    finally:
        out, err = pipes.close()
    thread.join()
    assert (detached, got, out, err) == (False, b"typed", b"earlyout", b"err")


def test_the_pump_ends_at_the_detach_keys() -> None:
    ours, theirs = socket.socketpair()
    pipes = Pipes()
    try:
        os.write(pipes.stdin[1], b"ab\x10\x11cd")
        detached = Pump(Channel(ours, b"", ""), stdin=True, framed=False, keys=DetachKeys(b"\x10\x11")).run()
    finally:
        os.close(pipes.stdin[1])
        pipes.close()
    assert detached
    theirs.close()


def test_input_that_nobody_reads_does_not_stop_the_output() -> None:
    ours, theirs = socket.socketpair()
    theirs.shutdown(socket.SHUT_RD)
    theirs.sendall(b"still here")
    theirs.close()
    pipes = Pipes()
    try:
        os.write(pipes.stdin[1], b"typed")
        Pump(Channel(ours, b"", ""), stdin=True, framed=False).run()
    finally:
        os.close(pipes.stdin[1])
        out, _ = pipes.close()
    assert out == b"still here"
