"""A file system that never answers: whoever looks into it waits, and can be killed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argosy.linux import mount
from argosy.linux.process import NEWNS, setns
from argosy.linux.syscall import AT_FDCWD


class Silence:
    """A FUSE connection that nobody serves (fuse(4))."""

    def __init__(self) -> None:
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)

    def mount(self, pid: int, path: str = "/hung") -> None:
        """Mount it in the mount namespace of that process."""
        child = os.fork()
        if child == 0:
            try:
                setns(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), NEWNS)
                os.makedirs(path, exist_ok=True)
                options = ((b"fd", b"%d" % self._device), (b"rootmode", b"40000"), (b"user_id", b"0"), (b"group_id", b"0"))
                mount.attach(mount.new_filesystem(b"fuse", options, 0, b"silence"), AT_FDCWD, path.encode())
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def end(self) -> None:
        """Let all who wait fail."""
        if self._device >= 0:
            os.close(self._device)
            self._device = -1


@contextmanager
def silence() -> Iterator[Silence]:
    """Return one that ends with the block; skips the test on a kernel without FUSE."""
    if not os.path.exists("/dev/fuse") and subprocess.run(["modprobe", "fuse"], capture_output=True).returncode:
        pytest.skip("this kernel has no FUSE")
    made = Silence()
    try:
        yield made
    finally:
        made.end()
