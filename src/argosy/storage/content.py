"""Blobs by digest, laid out as an OCI image layout (image-layout.md): ``blobs/sha256/HEX``.

A blob is written into ``ingest/`` and appears under its digest only when all of it is there, verified and on the disk. What a
broken transfer left stays and is continued, also by the next daemon.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from argosy.base import failpoints
from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.oci import digest as digests
from argosy.storage import hashing
from argosy.storage.ingest import Part
from argosy.storage.leases import Leases
from argosy.storage.sync import sync_directory, sync_file
from argosy.storage.threaded import ThreadedFile

_CHUNK = 1 << 20
_STALE = 7 * 24 * 3600
"""Seconds after which an unfinished ingest is not worth its space any more."""


class Content:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.leases = Leases()
        self._blobs = root / "blobs"
        self._ingest = root / "ingest"
        self._open: set[str] = set()
        self._sizes: dict[str, int] = {}

    def open(self) -> None:
        """Make the directories and drop what was begun too long ago."""
        for algorithm in ("sha256", "sha512"):
            (self._blobs / algorithm).mkdir(mode=0o710, parents=True, exist_ok=True)
        self._ingest.mkdir(mode=0o710, exist_ok=True)
        limit = time.time() - _STALE
        for path in self._ingest.iterdir():
            if path.name.startswith("once-") or path.stat().st_mtime < limit:
                path.unlink()
        for blob in self._blobs.glob("*/*"):
            self._sizes[f"{blob.parent.name}:{blob.name}"] = blob.stat().st_size

    def path(self, digest: str) -> Path:
        """Return where the blob is or would be. Raises InvalidParameterError on a malformed digest."""
        algorithm, value = digests.split(digest)
        return self._blobs / algorithm / value

    def has(self, digest: str) -> bool:
        return digest in self._sizes

    def size(self, digest: str) -> int:
        """Raises NotFoundError."""
        try:
            return self._sizes[digest]
        except KeyError:
            raise NotFoundError(f"content digest {digest}: not found") from None

    def read(self, digest: str) -> bytes:
        """Return a small blob. Raises NotFoundError."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"content digest {digest}: not found") from None

    def open_blob(self, digest: str) -> int:
        """Return a file descriptor. Raises NotFoundError."""
        try:
            return os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFoundError(f"content digest {digest}: not found") from None

    async def put(self, data: bytes, digest: str = "") -> str:
        """Store a small blob and return its digest (``digest``, where the caller has verified it); on disk on return."""
        digest = digest or digests.of(data)
        if not self.has(digest):
            await asyncio.to_thread(self._put, digest, data)
        return digest

    async def put_region(self, fd: int, offset: int, size: int, digest: str) -> None:
        """Store a part of a file under ``digest``. Raises InvalidParameterError when it has another."""
        if not self.has(digest):
            await asyncio.to_thread(self._put_region, fd, offset, size, digest)

    async def put_stream(self, part: Part, kind: str, digest: str) -> None:
        """Store the decompressed bytes of a part of a file under ``digest``."""
        if not self.has(digest):
            await asyncio.to_thread(self._put_stream, part, kind, digest)

    def writer(self, digest: str, size: int) -> "Ingest":
        """Continue or begin the transfer of a blob of known digest and size.

        A second writer of the same blob at the same time gets a file of its own, whose remains are not kept.
        """
        name = digest.replace(":", "-")
        if name in self._open:
            name = f"once-{name}-{os.urandom(4).hex()}"
        self._open.add(name)
        return Ingest(self, self._ingest / name, digest, size)

    def digests(self) -> list[str]:
        return list(self._sizes)

    def total(self) -> int:
        """Return the bytes of all blobs."""
        return sum(self._sizes.values())

    def collect(self, roots: Iterable[str]) -> list[Path]:
        """Take every blob that neither ``roots`` nor a lease names out of sight; return files for `discard`.

        Runs in the loop's thread without a pause, so that nobody can take a lease between the look and the rename.
        """
        kept = set(roots) | self.leases.held()
        gone = []
        for digest in self._sizes.keys() - kept:
            failpoints.hit("storage.content.remove")
            path = self._ingest / f"once-gone-{os.urandom(8).hex()}"
            self.path(digest).rename(path)
            del self._sizes[digest]
            gone.append(path)
        return gone

    def forget(self, digest: str) -> None:
        """Remove a blob that can be made again, unless others than its one holder use it."""
        if self.has(digest) and self.leases.count(digest) <= 1:
            self.path(digest).unlink(missing_ok=True)
            del self._sizes[digest]

    def drop_unfinished(self) -> int:
        """Forget transfers that nobody is at; return the bytes that this frees."""
        freed = 0
        for path in self._ingest.iterdir():
            if path.name not in self._open and not path.name.startswith("once-"):
                freed += path.stat().st_size
                path.unlink()
        return freed

    def released(self, name: str) -> None:
        """An ingest has ended."""
        self._open.discard(name)

    def commit(self, path: Path, digest: str) -> None:
        """Give a verified, synced file its name."""
        failpoints.hit("storage.content.commit")
        target = self.path(digest)
        size = path.stat().st_size
        path.rename(target)
        sync_directory(target.parent)
        self._sizes[digest] = size

    def _put(self, digest: str, data: bytes) -> None:
        path = self._ingest / f"once-{os.urandom(8).hex()}"
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.commit(path, digest)

    def _put_stream(self, part: Part, kind: str, digest: str) -> None:
        path = self._ingest / f"once-{os.urandom(8).hex()}"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            # The feeder closes what it writes to.
            hashed = hashing.feed_region(part.fd, part.offset, part.size, kind, fd)
            verify(digest, hashed.digest.partition(":")[2])
            sync_file(path)
            self.commit(path, digest)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _put_region(self, fd: int, offset: int, size: int, digest: str) -> None:
        path = self._ingest / f"once-{os.urandom(8).hex()}"
        try:
            with path.open("xb") as file:
                hasher = hashlib.new(digests.split(digest)[0])
                buffer = memoryview(bytearray(_CHUNK))
                end = offset + size
                while offset < end:
                    got = os.preadv(fd, [buffer[: end - offset]], offset)
                    if not got:
                        raise InvalidParameterError("unexpected EOF")
                    hasher.update(buffer[:got])
                    file.write(buffer[:got])
                    offset += got
                verify(digest, hasher.hexdigest())
                file.flush()
                os.fsync(file.fileno())
            self.commit(path, digest)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def discard(paths: Iterable[Path]) -> None:
    """Free what `Content.collect` returned; meant for a thread."""
    for path in paths:
        path.unlink(missing_ok=True)


class Ingest:
    """One blob on its way in. `start` says from which offset the sender must go on; then `write` and `commit`, or `close`
    to leave what came for the next time."""

    def __init__(self, content: Content, path: Path, digest: str, size: int) -> None:
        self._content = content
        self._path = path
        self._digest = digest
        self._size = size
        self._hasher = hashlib.new(digests.split(digest)[0])
        self._file: ThreadedFile | None = None
        self.offset = 0

    async def start(self) -> int:
        """Open what is there already, hash it, and return its length: the offset to continue from."""
        self._file = ThreadedFile(await asyncio.to_thread(os.open, self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        await self._file.run(self._start)
        return self.offset

    async def restart(self) -> None:
        """Forget what is there and begin at the blob's first byte."""
        await self._opened().run(_empty)
        self._hasher = hashlib.new(digests.split(self._digest)[0])
        self.offset = 0

    async def write(self, data: bytes) -> None:
        """Append. Raises InvalidParameterError when more comes than the blob has."""
        if self.offset + len(data) > self._size:
            raise InvalidParameterError(f"blob {self._digest} is longer than {self._size} bytes")
        await self._opened().run(self._write, data)

    async def commit(self) -> None:
        """Verify and publish the blob. Raises InvalidParameterError on a wrong digest or length; then nothing of it is kept."""
        try:
            if self.offset != self._size:
                raise InvalidParameterError(f"blob {self._digest} has {self.offset} bytes, {self._size} were expected")
            verify(self._digest, self._hasher.hexdigest())
        except InvalidParameterError:
            self.abandon()
            raise
        await self._opened().run(self._publish)
        self.close()

    def close(self) -> None:
        """Stop here; what was written stays."""
        if self._file is not None:
            self._file.close(lambda: self._content.released(self._path.name))
            self._file = None

    def abandon(self) -> None:
        """Stop and forget what was written."""
        self._path.unlink(missing_ok=True)
        self.close()

    def _opened(self) -> ThreadedFile:
        if self._file is None:
            raise RuntimeError(f"the ingest of {self._digest} is not open")
        return self._file

    def _start(self, fd: int) -> None:
        buffer = memoryview(bytearray(_CHUNK))
        while (got := os.readv(fd, [buffer])) and self.offset < self._size:
            got = min(got, self._size - self.offset)
            self._hasher.update(buffer[:got])
            self.offset += got
        os.ftruncate(fd, self.offset)
        os.lseek(fd, self.offset, os.SEEK_SET)

    def _write(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        self._hasher.update(data)
        self.offset += len(data)

    def _publish(self, fd: int) -> None:
        os.fsync(fd)
        self._content.commit(self._path, self._digest)


def _empty(fd: int) -> None:
    os.ftruncate(fd, 0)
    os.lseek(fd, 0, os.SEEK_SET)


def verify(digest: str, value: str) -> None:
    """Raise InvalidParameterError unless ``value`` is the hex part of ``digest``."""
    algorithm, wanted = digests.split(digest)
    if value != wanted:
        raise InvalidParameterError(f"unexpected commit digest {algorithm}:{value}, expected {digest}: failed precondition")
