"""Getting what was written onto the disk."""

import os
from pathlib import Path

from argosy.linux.syscall import call


def sync_filesystem(path: Path) -> None:
    """Write out everything of the file system that holds ``path`` (syncfs(2)); meant for a thread."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call("syncfs", fd)
    finally:
        os.close(fd)


def sync_directory(path: Path) -> None:
    """Make renames and new names in the directory last."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and fsync it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
