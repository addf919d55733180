"""Forks of the shim that work for it."""

import os
import select
import signal
import time

import pytest

from argosy.runtime.shim.apart import WaitingStarter


def test_a_starter_works_with_the_fds_that_it_is_given() -> None:
    read, write = os.pipe()
    starter = WaitingStarter(lambda fds: ({"given": len(fds), "written": os.write(fds[0], b"x")}, []))
    starter.begin([write])
    assert starter.result() == ({"given": 1, "written": 1}, [])
    assert os.read(read, 2) == b"x"
    assert os.read(read, 2) == b"", "somebody still holds the other end"
    os.close(read)


def test_a_starter_that_is_not_needed_leaves() -> None:
    starter = WaitingStarter(lambda fds: ({}, []))
    starter.dismiss()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_starter_that_was_killed_while_it_waited_takes_nothing() -> None:
    read, write = os.pipe()
    starter = WaitingStarter(lambda fds: ({}, []))
    os.kill(starter.pid, signal.SIGKILL)
    os.waitid(os.P_PID, starter.pid, os.WEXITED | os.WNOWAIT)
    assert not starter.begin([write])
    os.write(write, b"x")
    for fd in (read, write):
        os.close(fd)


def test_a_starter_that_was_killed_has_no_result() -> None:
    starter = WaitingStarter(lambda fds: (os.kill(os.getpid(), signal.SIGKILL) or {}, []))
    starter.begin([])
    assert starter.result() == ({}, [])


@pytest.mark.parametrize("begun", [False, True])
def test_a_starter_ends_with_its_shim(begun: bool) -> None:
    """It may not go on to make a container for nobody."""
    read, write = os.pipe()
    told, tell = os.pipe()
    shim = os.fork()
    if shim == 0:
        os.close(read)
        starter = WaitingStarter(lambda fds: (os.write(fds[0], b"x") and time.sleep(600)) or ({}, []))
        if begun:
            # From here on the starter alone keeps the pipe open.
            starter.begin([write])
        os.write(tell, b"%d" % starter.pid)
        time.sleep(600)
        os._exit(0)
    os.close(write)
    if begun:
        assert os.read(read, 1) == b"x"
    pid = int(os.read(told, 16))
    pidfd = os.pidfd_open(pid)
    os.kill(shim, signal.SIGKILL)
    os.waitpid(shim, 0)
    assert os.read(read, 1) == b""
    # Not ours to reap: a pidfd says when it has ended.
    assert select.select([pidfd], [], [], 10)[0]
    for fd in (read, told, tell, pidfd):
        os.close(fd)
