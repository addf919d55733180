"""The start of an exec in a fork, on a real loop, with forks in place of programs."""

import os
import signal
import time

import pytest

from argosy.linux.process import PR_SET_CHILD_SUBREAPER, prctl
from argosy.runtime.shim.apart import Starter
from argosy.runtime.shim.children import Children
from argosy.runtime.shim.loop import Loop
from argosy.runtime.shim.starting import Starting
from support.forks import in_a_process


class Shim:
    """What a shim has of it; ``heard``: what it was told, in order."""

    def __init__(self, work, limit=30.0):
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.children = Children(Loop())
        self.heard = []
        self.starting = Starting(
            self.children, Starter([], work), "x", limit,
            started=self.started, failed=lambda message, code: self.heard.append((message, code)), gone=lambda: self.heard.append("gone"),
        )  # fmt: skip
        self.children.ask = self.starting.look

    def started(self, pid, fds):
        self.heard.append("started")
        self.children.expect(pid, lambda status: self.heard.append(os.waitstatus_to_exitcode(status)))

    def until(self, count):
        deadline = time.monotonic() + 20
        while len(self.heard) < count:
            assert time.monotonic() < deadline, self.heard
            self.children.loop.step(0.05)
        return self.heard


def program(code=None):
    """Fork one that ends with the code at once, or waits; return its pid."""
    pid = os.fork()
    if pid == 0:
        if code is None:
            time.sleep(600)
        os._exit(code)
    return pid


def make(code):
    def work(tell):
        return {"pid": program(code)}, []

    return work


def hang(tell):
    tell({"child": program()})
    time.sleep(600)


def the_code_of_a_program_that_ended_at_once_is_heard_after_its_start():
    for _ in range(20):
        assert Shim(make(5)).until(2) == ["started", 5]


def the_end_is_heard_even_if_it_is_seen_before_the_answer():
    shim = Shim(make(5))
    while len(shim.heard) < 2:
        shim.children.reap()
    assert shim.heard == ["started", 5]


def a_failure_is_told():
    assert Shim(lambda tell: ({"failed": "no", "code": 127}, [])).until(1) == [("no", 127)]


def one_that_hangs_is_given_up_after_its_limit_with_what_it_has_made():
    shim = Shim(hang, limit=0.1)
    (message, code), gone = shim.until(2)
    assert (code, gone) == (137, "gone")
    assert "did not start within 0.1 s" in message
    assert_no_children()


def a_signal_that_ends_programs_ends_it_and_no_other_does():
    shim = Shim(hang)
    shim.children.loop.step(5)  # it has told of its child
    assert not shim.starting.signal(signal.SIGWINCH)
    assert shim.starting.signal(signal.SIGTERM)
    assert shim.until(2)[0][1] == 137
    assert_no_children()


def an_abandoned_one_is_gone_at_once():
    shim = Shim(hang)
    shim.children.loop.step(5)  # it has told of its child
    shim.starting.abandon()
    assert shim.heard == [("the container has ended", 0)]
    assert shim.until(2)[1] == "gone"
    assert_no_children()


def assert_no_children():
    try:
        pid, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    raise AssertionError(pid)


@pytest.mark.parametrize(
    "check",
    [
        the_code_of_a_program_that_ended_at_once_is_heard_after_its_start,
        the_end_is_heard_even_if_it_is_seen_before_the_answer,
        a_failure_is_told,
        one_that_hangs_is_given_up_after_its_limit_with_what_it_has_made,
        a_signal_that_ends_programs_ends_it_and_no_other_does,
        an_abandoned_one_is_gone_at_once,
    ],
)
def test_starting(check):
    assert in_a_process(check) == 0
