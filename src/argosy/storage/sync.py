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


def sync_file(path: Path) -> None:
    """Get a file's content onto the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
