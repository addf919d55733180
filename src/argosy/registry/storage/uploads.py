"""Uploads: a file that grows, hashed on the way."""

import hashlib
import os
import uuid
from collections.abc import Sequence
from typing import Any

from argosy.base import failpoints
from argosy.registry.errors import RegistryError
from argosy.registry.storage.blobs import Blobs
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.writing import in_directory, remove

_READ = 1 << 20
_MOST_PIECES = 512
"""Under IOV_MAX (1024)."""

_MOST_HASHES = 4096


class Uploads:
    """Hashes of uploads that go on are kept here; after a restart the file is read again."""

    def __init__(self, layout: Layout, blobs: Blobs) -> None:
        self._layout = layout
        self._blobs = blobs
        self._hashes: dict[str, tuple[Any, int]] = {}
        """Upload id → hash and how many bytes went into it."""

    def begin(self, name: str) -> str:
        """Return the id of a new, empty upload."""
        upload = uuid.uuid4().hex
        path = self._layout.upload(name, upload)
        os.close(in_directory(path, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)))
        self._remember(upload, hashlib.sha256(), 0)
        return upload

    def _remember(self, upload: str, known: Any, size: int) -> None:
        while len(self._hashes) >= _MOST_HASHES:
            # Of uploads that nobody went on with; whoever does has the file read once again.
            self._hashes.pop(next(iter(self._hashes)), None)
        self._hashes[upload] = (known, size)

    def size(self, name: str, upload: str) -> int:
        """Return how many bytes arrived. Raises RegistryError BLOB_UPLOAD_UNKNOWN."""
        try:
            return os.stat(self._layout.upload(name, upload)).st_size
        except (FileNotFoundError, NotADirectoryError):
            raise _unknown(upload) from None

    def path(self, name: str, upload: str) -> str:
        return self._layout.upload(name, upload)

    def open(self, name: str, upload: str) -> "Appender":
        """Return what appends to an upload. Raises RegistryError BLOB_UPLOAD_UNKNOWN."""
        try:
            fd = os.open(self._layout.upload(name, upload), os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise _unknown(upload) from None
        status = os.fstat(fd)
        known, hashed = self._hashes.pop(upload, (None, -1))
        return Appender(fd, status.st_size, known if hashed == status.st_size else None, whole=status.st_nlink > 1)

    def close(self, upload: str, appender: "Appender") -> None:
        """Keep the hash for the next request, and let the file go."""
        if appender.hash is not None:
            self._remember(upload, appender.hash, appender.size)
        appender.close()

    def cancel(self, name: str, upload: str) -> None:
        """Raises RegistryError BLOB_UPLOAD_UNKNOWN."""
        self._hashes.pop(upload, None)
        if not remove(self._layout.upload(name, upload)):
            raise _unknown(upload)

    def finish(self, name: str, upload: str, digest: str, appender: "Appender") -> None:
        """Make the upload a blob of the repository. Raises RegistryError DIGEST_INVALID, and the upload is gone then."""
        path = self._layout.upload(name, upload)
        found = appender.digest(digest.partition(":")[0])
        if found != digest:
            self.cancel(name, upload)
            raise RegistryError("DIGEST_INVALID", detail={"digest": digest, "uploaded": found, "size": appender.size})
        appender.sync()
        failpoints.hit("registry.upload.synced")
        self._blobs.commit(name, digest, path)
        self._hashes.pop(upload, None)
        remove(path)


class Appender:
    """An upload opened for one request."""

    def __init__(self, fd: int, size: int, known: Any, *, whole: bool) -> None:
        self._fd = fd
        self._whole = whole
        """A server that died at the end of this upload has made the file a blob already: it must not change any more."""
        self.size = size
        self.hash = known
        """sha256 of all bytes so far, None when it has to be found out by reading."""

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write and hash. Raises RegistryError with 416 when the upload is whole."""
        if self._whole:
            raise RegistryError("RANGE_INVALID", "the upload is whole: end it by PUT without a body")
        for start in range(0, len(pieces), _MOST_PIECES):
            self._write(pieces[start : start + _MOST_PIECES])
        if self.hash is not None:
            for piece in pieces:
                self.hash.update(piece)

    def _write(self, pieces: Sequence[bytes]) -> None:
        wanted = sum(map(len, pieces))
        done = os.pwritev(self._fd, pieces, self.size)
        if done < wanted:
            rest = memoryview(b"".join(pieces))[done:]
            while rest:
                written = os.pwrite(self._fd, rest, self.size + done)
                done += written
                rest = rest[written:]
        self.size += wanted

    def cut(self, size: int) -> None:
        """Forget everything after ``size`` bytes; the hash is found out again by reading."""
        if self._whole:
            return
        os.ftruncate(self._fd, size)
        self.size = size
        self.hash = None

    def digest(self, algorithm: str) -> str:
        if algorithm == "sha256" and self.hash is not None:
            return f"sha256:{self.hash.hexdigest()}"
        found = hashlib.new(algorithm)
        offset = 0
        while piece := os.pread(self._fd, _READ, offset):
            found.update(piece)
            offset += len(piece)
        return f"{algorithm}:{found.hexdigest()}"

    def sync(self) -> None:
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def _unknown(upload: str) -> RegistryError:
    return RegistryError("BLOB_UPLOAD_UNKNOWN", detail={"uuid": upload})
