"""Forks of the shim that work for it."""

import os
import signal
import time

from argosy.runtime.shim.apart import Starter


def test_a_starter_ends_with_its_shim() -> None:
    """It may not go on to make a container for nobody."""
    read, write = os.pipe()
    shim = os.fork()
    if shim == 0:
        os.close(read)
        # The starter alone keeps the pipe open.
        Starter([write], lambda _: (os.write(write, b"x") and time.sleep(600)) or ({}, []))
        os.close(write)
        time.sleep(600)
        os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"x"
    os.kill(shim, signal.SIGKILL)
    os.waitpid(shim, 0)
    assert os.read(read, 1) == b""
    os.close(read)
