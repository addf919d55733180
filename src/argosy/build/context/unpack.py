"""An archive into a directory, by a confined worker."""

import asyncio
import os
from pathlib import Path

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.images.spool import Spool
from argosy.linux.openat2 import open_root, openat2
from argosy.storage import compression, hashing, pipes
from argosy.storage.limits import Limits
from argosy.storage.model import Directory
from argosy.storage.ports import Workers

LARGEST_DOCKERFILE = 4 << 20


async def archive(workers: Workers, spool: Spool, root: Path, limits: Limits) -> None:
    """Unpack a tar, whatever it is compressed with.

    Raises InvalidParameterError with what is wrong with it, and when it becomes more than ``limits`` allow.
    """
    kind = compression.detect(os.pread(spool.fd, 16, 0))
    if not kind:
        os.lseek(spool.fd, 0, os.SEEK_SET)
        await _unpack(workers, spool.fd, root)
        return
    read, write = pipes.make_pipe()
    feeding = asyncio.get_running_loop().run_in_executor(None, _decompress, spool, kind, write, limits)
    reason: Exception | None = None
    try:
        await _unpack(workers, read, root)
    except InvalidParameterError as error:
        reason = error
    finally:
        # The thread ends when nobody reads any more.
        os.close(read)
        broken = await asyncio.shield(feeding)
    # A stream that breaks off makes an archive that breaks off: the cause is the thing to tell.
    if broken or reason:
        raise broken or reason or AssertionError


async def _unpack(workers: Workers, fd: int, root: Path) -> None:
    await workers.run("unpack", {"path": "/"}, fds=[fd], root=Directory(str(root)))


def _decompress(spool: Spool, kind: str, write: int, limits: Limits) -> Exception | None:
    """Fill the pipe and close it, in a thread; return what is wrong with the stream."""
    try:
        hashing.expand(spool.fd, spool.size, kind, write, limits)
    except BrokenPipeError:
        return None
    except InvalidParameterError as error:
        return error
    finally:
        os.close(write)
    return None


def subdirectory(root: Path, path: str, what: str = "the git context") -> Path:
    """Return the directory within; links are resolved as if ``root`` was the root. Raises NotFoundError."""
    if not path.strip("/"):
        return root
    top = open_root(os.fsencode(root))
    try:
        fd = openat2(top, os.fsencode(path.strip("/")), os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise NotFoundError(f"error getting the subdirectory {path!r} of {what}: {error.strerror}") from None
    finally:
        os.close(top)
    try:
        return Path(os.readlink(f"/proc/self/fd/{fd}"))
    finally:
        os.close(fd)
