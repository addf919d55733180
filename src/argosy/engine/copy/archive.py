"""``GET`` and ``PUT /containers/{id}/archive``: a worker reads or writes the tar, a pipe carries it."""

import asyncio
import io
import os
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.engine.copy.place import Grafts, Place, grafts
from argosy.engine.copy.stat import naming, stat_path
from argosy.oci.passwd import resolve_user
from argosy.storage import pipes
from argosy.storage.inflate import inflated
from argosy.storage.limits import LIMITS, Limits
from argosy.storage.model import Mapped, RootMount
from argosy.storage.ports import Workers

ROOT_READ_ONLY = "container rootfs is marked read-only"
VOLUME_READ_ONLY = "mounted volume is marked read-only"
_ACCOUNTS_LIMIT = 1 << 22


async def get_archive(workers: Workers, place: Place, path: str, *, name: str) -> tuple[dict[str, Any], AsyncIterator[bytes]]:
    """Return (`stat_path`'s value, the tar of that file or directory). Raises NotFoundError before anything is sent."""
    stat = await stat_path(workers, place, path, name=name)
    return stat, _packed(workers, place, path)


async def _packed(workers: Workers, place: Place, path: str) -> AsyncIterator[bytes]:
    with grafts(place) as given:
        params = {"path": path, "mounts": given.mounts}
        async for chunk in from_worker(workers, "pack", params, fds=given.fds, root=place.root, views=given.views):
            yield chunk


async def from_worker(
    workers: Workers,
    job: str,
    params: dict[str, Any],
    *,
    fds: Sequence[int],
    root: RootMount | Mapped | int | None,
    views: Sequence[Mapped] = (),
) -> AsyncIterator[bytes]:
    """Yield what a job writes to its first fd; raise what it failed with. Left early, the worker is killed."""
    read, write = pipes.make_pipe()
    work = asyncio.ensure_future(workers.run(job, params, fds=[write, *fds], root=root, views=views))
    # The pipe ends when the worker has closed its copy, so ours must not keep it open; it is sent by the time run() is over.
    work.add_done_callback(lambda _: os.close(write))
    try:
        async for chunk in pipes.drain(read):
            yield chunk
        await work
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await work


async def put_archive(
    workers: Workers,
    place: Place,
    path: str,
    body: AsyncIterator[bytes],
    *,
    name: str,
    no_overwrite_dir_non_dir: bool,
    owner: str | None,
    limits: Limits = LIMITS,
) -> None:
    """Unpack the tar, compressed or not, into the existing directory ``path``.

    ``owner``: a user as in ``--user``; all files are given to it (``copyUIDGID``). Raises NotFoundError,
    InvalidParameterError and SystemFailureError in Docker's words; what was unpacked before stays.
    """
    _refuse_read_only(place, path)
    params = {
        "path": path,
        "no_overwrite": no_overwrite_dir_non_dir,
        "owner": await _owner(workers, place, owner) if owner else None,
    }
    with grafts(place) as given, naming(name):
        try:
            async with aclosing(inflated(body, limits)) as plain:
                await _unpacked(workers, place, {**params, "mounts": given.mounts}, given, plain)
        except OSError as error:
            raise SystemFailureError(str(error)) from error
        except ArgosyError as error:
            raise _worded(error, path, place) from error


async def _unpacked(workers: Workers, place: Place, params: dict[str, Any], given: Grafts, body: AsyncIterator[bytes]) -> None:
    """Feed the body to the worker; if either fails the other is ended too."""
    read, write = pipes.make_pipe()
    try:
        work = asyncio.ensure_future(workers.run("unpack", params, fds=[read, *given.fds], root=place.root, views=given.views))
    except BaseException:
        os.close(read)
        os.close(write)
        raise
    work.add_done_callback(lambda _: os.close(read))
    begun = False

    async def feed() -> None:
        nonlocal begun
        begun = True
        await pipes.feed(write, body)

    feeding = asyncio.ensure_future(feed())
    try:
        await asyncio.wait({work, feeding}, return_when=asyncio.FIRST_COMPLETED)
        if feeding.done():
            if feeding.exception() is not None:
                # The archive breaks off for the worker too: it removes the half of a file that it has, and ends.
                await asyncio.wait({work})
            # The cause is the thing to tell.
            feeding.result()
        elif work.done():
            # It has seen all it wants (or failed): what the client still sends is of no use.
            feeding.cancel()
        await work
    finally:
        for task in (feeding, work):
            task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.gather(feeding, work, return_exceptions=True)
        if not begun:
            os.close(write)


def _refuse_read_only(place: Place, path: str) -> None:
    """Refuse what can be refused before the body is read; the kernel refuses the rest (a link into a read-only volume)."""
    point = place.covering(path)
    if point is not None:
        if not point.rw:
            raise InvalidParameterError(VOLUME_READ_ONLY)
    elif place.read_only and not place.running:
        raise InvalidParameterError(ROOT_READ_ONLY)


def _worded(error: ArgosyError, path: str, place: Place) -> ArgosyError:
    """A worker that met EROFS: say which of the two it was."""
    if "Read-only file system" in str(error) or "read-only file system" in str(error):
        return InvalidParameterError(ROOT_READ_ONLY if place.covering(path) is None else VOLUME_READ_ONLY)
    return error


async def _owner(workers: Workers, place: Place, user: str) -> list[int]:
    """Return [uid, gid] of a user in the container's own account files."""
    found = resolve_user(user, await _read(workers, place, "/etc/passwd"), await _read(workers, place, "/etc/group"))
    return [found.uid, found.gid]


async def _read(workers: Workers, place: Place, path: str) -> bytes:
    """Return a regular file of the container, empty if it is none or is missing."""
    packed = bytearray()
    try:
        async for chunk in _packed(workers, place, path):
            packed += chunk
            if len(packed) > _ACCOUNTS_LIMIT:
                return b""
    except NotFoundError:
        return b""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member is not None and member.isreg() else None
        return content.read() if content is not None else b""
