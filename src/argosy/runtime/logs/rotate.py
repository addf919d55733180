"""A log file that is renamed when it is full: ``PATH`` → ``PATH.1`` → ``PATH.2``, optionally compressed.

moby ``daemon/logger/loggerutils/logfile.go``. Compression runs in a short child process, so that the program's output
does not wait for it. What happens when the shim ends meanwhile: the child puts its result in place itself; if it dies, too, a
leftover ``PATH.tmp.gz`` is removed by the next opener.
"""

import os
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Forker = Callable[[Callable[[], None], Callable[[int], None], int], None]
    """(work of a child process, what to do with its wait status, the one fd that the child keeps)."""

_CHUNK = 256 * 1024


class RotatingFile:
    """Appends records that end with a newline (``binary``: one record a call)."""

    def __init__(
        self, path: str, *, limit: int, files: int, compress: bool, fork: "Forker", binary: bool = False, header: bytes = b""
    ) -> None:
        self.path = path
        self.lost = 0
        self._limit, self._files, self._compress, self._fork = limit, max(files, 1), compress, fork
        self._binary, self._header = binary, header
        self._compressing = 0  # the number N of PATH.N that a child is working on now; 0: none
        _discard(path + ".tmp.gz")
        self._open(os.O_APPEND)

    def append(self, records: bytes) -> None:
        """Write whole records, rotating as often as needed. A full disk costs the records, not the container."""
        start, length = 0, len(records)
        while start < length:
            if self._limit > 0 and self._size >= self._limit:
                self._rotate()
            end = length
            if not self._binary and 0 < self._limit < self._size + length - start:
                end = records.index(b"\n", start + self._limit - self._size - 1) + 1
            self._write(memoryview(records)[start:end])
            start = end

    def close(self) -> None:
        os.close(self._fd)

    def _open(self, flag: int) -> None:
        # Docker's mode: a group may be given access to logs by the directory.
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flag, 0o640)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)
        if self._header and self._size == 0:
            self._write(memoryview(self._header))

    def _write(self, view: memoryview) -> None:
        done = 0
        try:
            while done < len(view):
                done += os.write(self._fd, view[done:])
        except OSError:
            # No half record may stay behind, or every reader stumbles over it.
            os.ftruncate(self._fd, self._size)
            self.lost += len(view)
            return
        self._size += len(view)

    def _rotate(self) -> None:
        os.close(self._fd)
        try:
            if self._files == 1:
                self._open(os.O_APPEND | os.O_TRUNC)
                return
            self._shift()
        except OSError:
            pass  # the directory refuses: go on in the same file rather than lose output
        self._open(os.O_APPEND)
        if self._compress and not self._compressing:
            self._begin_compression()

    def _shift(self) -> None:
        oldest = self._files - 1
        for suffix in ("", ".gz"):
            _discard(f"{self.path}.{oldest}{suffix}")
        for number in range(oldest - 1, 0, -1):
            for suffix in ("", ".gz"):
                _rename(f"{self.path}.{number}{suffix}", f"{self.path}.{number + 1}{suffix}")
        os.rename(self.path, f"{self.path}.1")
        if self._compressing:
            self._compressing += 1

    def _begin_compression(self) -> None:
        self._compressing = 1
        source = f"{self.path}.1"
        try:
            fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._compressing = 0
            return
        try:
            shim = os.getpid()
            self._fork(lambda: compress_for(shim, fd, self.path), self._compressed, fd)
        finally:
            os.close(fd)

    def _compressed(self, status: int) -> None:
        """The child is done: put the result where the file has moved to meanwhile, if it is still kept."""
        number, self._compressing = self._compressing, 0
        temporary, plain = f"{self.path}.tmp.gz", f"{self.path}.{number}"
        if status != 0 or number >= self._files or not os.path.exists(plain):
            _discard(temporary)
            return
        _rename(temporary, plain + ".gz")
        _discard(plain)


def compress_for(shim: int, source: int, path: str) -> None:
    """Compress the file ``source`` for the process ``shim``, which puts the result in place unless it has ended by then."""
    os.nice(10)
    out = _compress(source, f"{path}.tmp.gz")
    if os.getppid() != shim:
        _finish_alone(source, out, path)


def _finish_alone(source: int, out: int, path: str) -> None:
    """The shim that would do it has ended, so nothing is renamed any more: what was compressed is where it was then.

    Unless the container has been started again: then what has our name is another's, or nothing.
    """
    inode = os.fstat(source).st_ino
    number = 1
    while _inode(plain := f"{path}.{number}") not in (inode, 0):
        number += 1
    if _inode(plain) == inode and _inode(f"{path}.tmp.gz") == os.fstat(out).st_ino:
        _rename(f"{path}.tmp.gz", plain + ".gz")
        _discard(plain)


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _compress(source: int, target: str) -> int:
    """Return the fd of the finished file."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    while chunk := os.read(source, _CHUNK):
        _write_all(out, packer.compress(chunk))
    _write_all(out, packer.flush())
    return out


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _rename(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except FileNotFoundError:
        pass
