"""A client on its way from the log to the stream, with a program that goes on whenever it may."""

import asyncio

import pytest

from argosy.base.errors import ConflictError
from argosy.engine.catch_up import HOLD_SECONDS, TRIES
from argosy.engine.joining import NOTE, Joiner
from argosy.runtime.model import AttachRequest, HoldEnded

REQUEST = AttachRequest(stdin=False, stdout=True, stderr=True, multiplexed=False)


class Program:
    """A shim and its log: it says one number more at every step that it is not held for, until a hold is too old."""

    def __init__(self):
        self.said = 0
        self.read = 0
        self.lapped = False
        self.now = 0.0
        self.slow = 0.0
        self.delays = []
        self.held_at = None
        self.gone = False
        self.can_hold = True
        self.lasts = HOLD_SECONDS
        self.holds = 0
        self.heard = []
        self.closed = False

    def on(self, seconds=0.001):
        self.now += seconds
        if self.held_at is None or self.now - self.held_at > self.lasts:
            self.held_at = None
            self.said += 1

    # the log

    def unread(self):
        self.on()
        return self.said - self.read

    async def pieces(self):
        for number in range(self.read, self.said):
            self.read = number + 1
            self.on()
            yield b"%d " % number

    # the shim

    async def hold(self):
        self.on()
        if self.gone:
            raise ConflictError("not running")
        if not self.can_hold:
            return ""
        self.held_at, self.holds = self.now, self.holds + 1
        return "token"

    async def attach(self, request, sock, first, hold=""):
        self.on()
        assert bool(hold) is self.can_hold
        if hold and self.held_at is None:
            raise HoldEnded
        ended = asyncio.get_running_loop().create_future()
        self.heard.append(("stream from", self.said))
        return ended

    # the client

    async def send(self, data):
        self.heard.append(data)
        self.on(self.delays.pop(0) if self.delays else self.slow)

    def joiner(self):
        return Joiner(self, self, self.send, REQUEST, -1, b"", now=lambda: self.now)


@pytest.fixture
def program():
    made = Program()
    made.said = 5
    return made


def assert_exact(program):
    *numbers, (_, begun) = program.heard
    assert numbers == [b"%d " % number for number in range(begun)]


async def test_it_gets_all_of_the_log_and_then_the_stream(program):
    assert await program.joiner().join() is not None
    assert_exact(program)
    assert program.holds == 1


async def test_a_client_that_is_too_slow_once_tries_again_and_is_exact(program):
    program.delays = [HOLD_SECONDS / 4] * 5
    assert await program.joiner().join() is not None
    assert_exact(program)
    assert program.holds == 2


async def test_a_hold_that_was_over_before_the_daemon_thought_so_is_not_joined_on(program):
    program.lasts = HOLD_SECONDS / 2
    program.delays = [HOLD_SECONDS / 8] * 5
    assert await program.joiner().join() is not None
    assert_exact(program)
    assert program.holds == 2


async def test_one_that_stays_too_slow_is_let_go_with_a_note(program):
    program.slow = HOLD_SECONDS * 2
    assert await program.joiner().join() is None
    *numbers, note = program.heard
    assert note == NOTE
    assert numbers == [b"%d " % number for number in range(len(numbers))]
    assert program.holds == TRIES


async def test_a_log_that_was_rotated_away_unread_is_never_passed_over_in_silence(program):
    program.lapped = True
    assert await program.joiner().join() is None
    assert program.heard == [NOTE]


async def test_the_end_of_the_program_is_the_end_of_the_log(program):
    program.gone = True
    assert await program.joiner().join() is None
    assert program.heard == [b"%d " % number for number in range(len(program.heard))]
    assert len(program.heard) >= 5


async def test_a_shim_that_cannot_hold_still_gives_the_stream(program):
    program.can_hold = False
    assert await program.joiner().join() is not None
    assert program.heard[-1][0] == "stream from"
