"""Blobs: the pool, and each repository's links to it."""

import errno
import os

from argosy.base import failpoints
from argosy.registry.storage import locks
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.leases import renew
from argosy.registry.storage.writing import link, remove, sync_directory


class Blobs:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def size(self, name: str, digest: str) -> int | None:
        """Return the blob's bytes, None when the repository does not hold it."""
        try:
            return os.stat(self._layout.blob(name, digest)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, name: str, digest: str) -> int | None:
        """Return a descriptor to read from, None when the repository does not hold the blob."""
        try:
            return os.open(self._layout.blob(name, digest), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def promise(self, name: str, digest: str) -> int | None:
        """As `size`; and gc keeps the blob for the grace time from now, because a client is told that it need not send it."""
        return renew(self._layout, name, self._layout.blob(name, digest))

    def commit(self, name: str, digest: str, data: str) -> None:
        """Make a whole, verified, synced file (an upload) a blob of the repository. The file keeps its name."""
        pooled = self._layout.pooled(digest)
        if link(data, pooled):
            sync_directory(os.path.dirname(pooled))
        failpoints.hit("registry.blob.pooled")
        for source in (pooled, data):
            try:
                self._link(name, digest, source)
                return
            except FileNotFoundError:
                # Gc took it from the pool in this moment; what was uploaded is as good.
                continue
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), data)

    def mount(self, source: str, name: str, digest: str) -> bool:
        """Make a blob of one repository one of another; False when the first does not hold it."""
        try:
            self._link(name, digest, self._layout.blob(source, digest))
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            return False
        return True

    def _link(self, name: str, digest: str, source: str) -> None:
        path = self._layout.blob(name, digest)
        with locks.adding(self._layout, name):
            os.utime(source)
            if link(source, path):
                sync_directory(os.path.dirname(path))
            else:
                os.utime(path)
        failpoints.hit("registry.blob.linked")

    def remove(self, name: str, digest: str) -> bool:
        """Take the blob from the repository; False when it does not hold it."""
        with locks.removing(self._layout, name):
            return remove(self._layout.blob(name, digest))

    def is_pooled(self, digest: str) -> bool:
        return os.path.exists(self._layout.pooled(digest))
