"""Contexts made from what the client names, each in a directory under the data root that goes when the build is over.

A crash leaves the directory; `open` removes all of them, since no build outlives the daemon.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from argosy.base.errors import InvalidParameterError
from argosy.build.context import remote, unpack
from argosy.build.context.download import download
from argosy.build.context.find import found
from argosy.build.context.git import Clone
from argosy.build.context.model import Context
from argosy.images.spool import spooled
from argosy.storage.compression import detect
from argosy.storage.ports import Workers
from argosy.storage.trash import Trash

Download = Callable[[str], AbstractAsyncContextManager[AsyncIterator[bytes]]]


class Contexts:
    """``directory``: this one's alone, on the file system of ``trash``."""

    def __init__(self, *, directory: Path, workers: Workers, trash: Trash, git: Clone, download: Download = download) -> None:
        self._directory = directory
        self._workers = workers
        self._trash = trash
        self._git = git
        self._download = download

    def open(self) -> None:
        """Remove what a crash left."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._directory.iterdir():
            self._trash.put(left)

    @asynccontextmanager
    async def from_stream(self, body: AsyncIterator[bytes], *, dockerfile: str = "") -> AsyncIterator[Context]:
        """Unpack a client's tar, compressed or not. Raises InvalidParameterError when it is none, or holds no Dockerfile."""
        async with self._scratch() as scratch:
            root = scratch / "root"
            async with spooled(body, scratch) as spool:
                await unpack.archive(self._workers, spool, root)
            yield await found(self._workers, root, dockerfile)

    @asynccontextmanager
    async def from_remote(self, text: str, *, dockerfile: str = "") -> AsyncIterator[Context]:
        """Fetch a git repository, a tarball, or a Dockerfile that then is all there is. Raises InvalidParameterError."""
        what = remote.parse(text)
        async with self._scratch() as scratch:
            root = scratch / "root"
            if isinstance(what, remote.Git):
                (scratch / "home").mkdir()
                await self._git.fetch(what, root, home=scratch / "home")
                root = await asyncio.to_thread(unpack.subdirectory, root, what.directory)
                if not what.keep_git_dir and (root / ".git").is_dir():
                    (root / ".git").rename(scratch / "git")
                yield await found(self._workers, root, dockerfile)
                return
            async with self._download(what.url) as body, spooled(body, scratch) as spool:
                head = os.pread(spool.fd, 512, 0)
                if not detect(head) and head[257:262] != b"ustar":
                    text_found = os.pread(spool.fd, unpack.LARGEST_DOCKERFILE + 1, 0)
                    yield _alone(root, text_found, text)
                    return
                await unpack.archive(self._workers, spool, root)
            yield await found(self._workers, root, dockerfile)

    @asynccontextmanager
    async def _scratch(self) -> AsyncIterator[Path]:
        scratch = self._directory / os.urandom(8).hex()
        (scratch / "root").mkdir(mode=0o700, parents=True)
        (scratch / "root").chmod(0o755)
        try:
            yield scratch
        finally:
            self._trash.put(scratch)


def _alone(root: Path, text: bytes, url: str) -> Context:
    if len(text) > unpack.LARGEST_DOCKERFILE:
        raise InvalidParameterError(f"error detecting content type for remote {url}: it is neither a tar archive nor a Dockerfile")
    return Context(root, text, "Dockerfile")
