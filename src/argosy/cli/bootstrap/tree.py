"""The folder that a root file system is made in, and debootstrap and tar at work in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from contextlib import contextmanager
from pathlib import Path

from argosy.cli.errors import ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_PREFIX = "argosy-bootstrap-"
_PIECE = 1 << 18
_LAST_WORDS = 8


@contextmanager
def folder(base: Path) -> Iterator[Path]:
    """Yield an empty folder and take it away with all that is in it, also when SIGTERM or SIGHUP ends us.

    What a killed run has left beside it goes first: its lock is free.
    """
    _sweep(base)
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        place, lock = _locked(base)
        try:
            yield place
        finally:
            shutil.rmtree(place)
            os.close(lock)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _locked(base: Path) -> tuple[Path, int]:
    while True:
        place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        try:
            lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another's sweep may have taken it between the two calls.
        if os.fstat(lock).st_nlink:
            return place, lock
        os.close(lock)


def _sweep(base: Path) -> None:
    for left in base.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def make(command: Sequence[str], environ: Mapping[str, str], tell: Callable[[str], None]) -> list[str]:
    """Run debootstrap, telling each line of it; return its last words, empty when all went well."""
    last: deque[str] = deque(maxlen=_LAST_WORDS)
    # A session of its own: Ctrl-C is for us, and we end it.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environ,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            tell(line.rstrip())
        return [] if process.wait() == 0 else list(last) or [f"debootstrap ended with status {process.returncode}"]
    finally:
        _end(process)


def packed(root: Path) -> Iterator[bytes]:
    """Yield the tree as a tar, entries by name. Raises ExitError when tar fails, so that nobody takes the part for the whole."""
    words = [
        "tar",
        "--create",
        "--file=-",
        "--directory",
        str(root),
        "--numeric-owner",
        "--sort=name",
        "--xattrs",
        "--xattrs-include=*",
        ".",
    ]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True)
        try:
            assert process.stdout is not None
            while piece := process.stdout.read(_PIECE):
                yield piece
            if process.wait():
                complaints.seek(0)
                raise ExitError(1, f"tar failed: {complaints.read().decode(errors='replace').strip()}")
        finally:
            _end(process)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # unshare's child is process 1 of the namespace: unshare ends when that has, and that when all others in it have.
        children = _children(process.pid)
        for pid in children or [process.pid]:
            os.kill(pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
