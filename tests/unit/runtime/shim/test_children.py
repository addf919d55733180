"""Who hears of the end of which child."""

import os

import pytest

from argosy.runtime.shim.children import Children
from argosy.runtime.shim.loop import Loop
from support.forks import in_a_process


def ending(code):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def told_late():
    """It has ended before the shim has looked at what says whose it is."""
    children, heard = Children(Loop()), []
    pid = ending(7)
    children.ask = lambda: children.expect(pid, heard.append)
    children.reap()
    assert [os.waitstatus_to_exitcode(status) for status in heard] == [7]


def not_asked_about_the_expected():
    children, heard, asked = Children(Loop()), [], []
    children.ask = lambda: asked.append(1)
    children.expect(ending(1), heard.append)
    children.reap()
    assert len(heard) == 1
    assert not asked


def forgotten():
    children, heard = Children(Loop()), []
    pid = ending(1)
    children.expect(pid, heard.append)
    children.forget(pid)
    children.reap()
    assert not heard


@pytest.mark.parametrize("check", [told_late, not_asked_about_the_expected, forgotten])
def test_children(check):
    assert in_a_process(check) == 0
