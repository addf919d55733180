"""Archives among the sources of ADD: told by their content, unpacked by a worker."""

import asyncio
import os
from contextlib import suppress

from argosy.build.instructions.tree import Tree
from argosy.linux.openat2 import openat2
from argosy.storage import compression, hashing, pipes
from argosy.storage.compression import BROKEN, Region, decompressed
from argosy.storage.limits import Limits
from argosy.storage.model import RootMount
from argosy.storage.ports import Workers

_BLOCK = 512


def open_file(tree: Tree, path: str) -> int:
    """Return an fd of a file of a context."""
    root = os.open(tree.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return openat2(root, os.fsencode(path), os.O_RDONLY | os.O_NONBLOCK)
    finally:
        os.close(root)


def is_archive(fd: int) -> bool:
    """Return whether the file is a tar, compressed or not: whether its first header's sum is right (tar(5)). For a thread."""
    size = os.fstat(fd).st_size
    kind = compression.detect(os.pread(fd, 8, 0))
    block = bytearray(_BLOCK)
    got = 0
    try:
        stream = decompressed(Region(fd, 0, size), kind)
        while got < _BLOCK and (step := stream.readinto(memoryview(block)[got:])):
            got += step
    except BROKEN:
        return False
    if got < _BLOCK:
        return False
    text = bytes(block[148:156]).strip(b"\0 ")
    try:
        return bool(text) and int(text, 8) == sum(block) - sum(block[148:156]) + 8 * 32
    except ValueError:
        return False


async def unpack(fd: int, target: str, owner: tuple[int, int] | None, root: RootMount, workers: Workers, limits: Limits) -> None:
    """Unpack the archive into the existing directory ``target`` of ``root``.

    Raises InvalidParameterError when it is broken, or becomes more than ``limits`` allow.
    """
    size = os.fstat(fd).st_size
    kind = compression.detect(os.pread(fd, 8, 0))
    read, write = pipes.make_pipe()
    feeding = asyncio.get_running_loop().run_in_executor(None, hashing.feed_region, fd, 0, size, kind, write, limits)
    try:
        await workers.run("unpack", {"path": target, "owner": list(owner) if owner else None}, fds=[read], root=root)
    finally:
        os.close(read)
        with suppress(BrokenPipeError):
            await feeding
