"""Contexts made from what the client names, each in a directory under the data root that goes when the build is over.

A crash leaves the directory; `open` removes all of them, since no build outlives the daemon.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from argosy.base.errors import InvalidParameterError
from argosy.build.cache.synced import Listing, SyncedTrees, outdated
from argosy.build.context import remote, unpack
from argosy.build.context.download import download
from argosy.build.context.find import found
from argosy.build.context.git import Clone
from argosy.build.context.model import Context, Definition
from argosy.images.spool import Spool, spooled
from argosy.storage.compression import detect
from argosy.storage.limits import LIMITS, Limits
from argosy.storage.model import Directory
from argosy.storage.ports import Workers
from argosy.storage.trash import Trash

Download = Callable[[str], AbstractAsyncContextManager[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Update:
    """A client's directory as it is now."""

    name: str
    """Tells it from all other directories, and with which patterns it is sent."""
    description: str
    listing: Listing
    changes: Callable[[Listing], AsyncIterator[bytes]]
    """Takes what is here already; returns a tar of the rest."""


class Contexts:
    """``directory``: this one's alone, on the file system of ``trash``."""

    def __init__(
        self,
        *,
        directory: Path,
        workers: Workers,
        trash: Trash,
        git: Clone,
        synced: SyncedTrees,
        limits: Limits = LIMITS,
        download: Download = download,
    ) -> None:
        self._limits = limits
        self._directory = directory
        self._workers = workers
        self._trash = trash
        self._git = git
        self._synced = synced
        self._download = download

    def open(self) -> None:
        """Remove what a crash left."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._directory.iterdir():
            self._trash.put(left)

    @asynccontextmanager
    async def from_stream(self, body: AsyncIterator[bytes], *, dockerfile: str = "", apart: str = "") -> AsyncIterator[Context]:
        """Unpack a client's tar, compressed or not. Raises InvalidParameterError when it is none, or holds no Dockerfile.

        ``apart``: the name of a directory in it that is no part of the context, but `Context.sent`.
        """
        async with self._scratch() as scratch:
            root = scratch / "root"
            await self._unpack(body, root, scratch)
            sent = _moved(root / apart, scratch) if apart else None
            yield replace(await found(self._workers, root, dockerfile), sent=sent)

    @asynccontextmanager
    async def from_remote(
        self, text: str, *, dockerfile: str = "", body: AsyncIterator[bytes] | None = None, apart: str = ""
    ) -> AsyncIterator[Context]:
        """Fetch a git repository, a tarball, or a Dockerfile that then is all there is. Raises InvalidParameterError.

        ``body``: a tar with the directory ``apart``, for `Context.sent`.
        """
        async with self._scratch() as scratch:
            sent = await self._sent(body, apart, scratch) if body is not None and apart else None
            root, alone = await self._remote(text, scratch)
            context = _alone(root, alone, text) if alone is not None else await found(self._workers, root, dockerfile)
            yield replace(context, sent=sent)

    @asynccontextmanager
    async def from_update(self, update: Update, sent: Mapping[str, AsyncIterator[bytes]], definition: Definition) -> AsyncIterator[Context]:
        """Bring what was kept of a client's directory up to date, and unpack tars of others for `Context.sent` by name.

        Raises InvalidParameterError for a tar that is none.
        """
        async with self._scratch() as scratch:
            root = scratch / "root"
            before = self._synced.take(update.name, root) or {}
            if gone := outdated(before, update.listing):
                await self._workers.run("remove_paths", {"paths": gone}, root=Directory(str(root)))
            await self._unpack(update.changes(before), root, scratch)
            for name, tree in sent.items():
                (scratch / "sent" / name).mkdir(mode=0o755, parents=True)
                await self._unpack(tree, scratch / "sent" / name, scratch)
            beside = scratch / "sent" if sent else None
            try:
                yield Context(root, definition.dockerfile, definition.name, beside, definition.ignored)
            finally:
                self._synced.give(update.name, root, update.listing, update.description)

    async def _unpack(self, tree: AsyncIterator[bytes], root: Path, scratch: Path) -> None:
        async with spooled(tree, scratch) as spool:
            await unpack.archive(self._workers, spool, root, self._limits)

    @asynccontextmanager
    async def files(self, text: str) -> AsyncIterator[Path]:
        """Fetch a git repository's or an archive's files, or one file. Raises InvalidParameterError."""
        async with self._scratch() as scratch:
            yield (await self._remote(text, scratch, limit=0))[0]

    async def _sent(self, body: AsyncIterator[bytes], apart: str, scratch: Path) -> Path:
        root = scratch / "beside"
        root.mkdir(mode=0o700)
        await self._unpack(body, root, scratch)
        return _moved(root / apart, scratch)

    async def _remote(self, text: str, scratch: Path, limit: int = unpack.LARGEST_DOCKERFILE + 1) -> tuple[Path, bytes | None]:
        """Return the directory of what was fetched, and the first ``limit`` bytes of what is no archive, which with 0 is a file there."""
        what = remote.parse(text)
        root = scratch / "root"
        if isinstance(what, remote.Git):
            (scratch / "home").mkdir()
            await self._git.fetch(what, root, home=scratch / "home")
            root = await asyncio.to_thread(unpack.subdirectory, root, what.directory)
            if not what.keep_git_dir and (root / ".git").is_dir():
                (root / ".git").rename(scratch / "git")
            return root, None
        alone = None
        async with self._download(what.url) as body, spooled(body, scratch) as spool:
            head = os.pread(spool.fd, 512, 0)
            if detect(head) or head[257:262] == b"ustar":
                await unpack.archive(self._workers, spool, root, self._limits)
            elif limit:
                alone = os.pread(spool.fd, limit, 0)
            else:
                await asyncio.to_thread(_write, spool, root / (os.path.basename(urlsplit(what.url).path) or "file"))
        return root, alone

    @asynccontextmanager
    async def _scratch(self) -> AsyncIterator[Path]:
        scratch = self._directory / os.urandom(8).hex()
        (scratch / "root").mkdir(mode=0o700, parents=True)
        (scratch / "root").chmod(0o755)
        try:
            yield scratch
        finally:
            self._trash.put(scratch)


def _moved(path: Path, scratch: Path) -> Path:
    """Take a directory out of the context. Raises InvalidParameterError; a link would lead elsewhere."""
    if path.is_symlink() or not path.is_dir():
        raise InvalidParameterError(f"the context holds no directory {path.name}, in which build contexts were to be")
    return path.rename(scratch / "sent")


def _write(spool: Spool, path: Path) -> None:
    with path.open("xb") as file:
        os.lseek(spool.fd, 0, os.SEEK_SET)
        with open(os.dup(spool.fd), "rb") as source:
            shutil.copyfileobj(source, file)


def _alone(root: Path, text: bytes, url: str) -> Context:
    if len(text) > unpack.LARGEST_DOCKERFILE:
        raise InvalidParameterError(f"error detecting content type for remote {url}: it is neither a tar archive nor a Dockerfile")
    return Context(root, text, "Dockerfile")
