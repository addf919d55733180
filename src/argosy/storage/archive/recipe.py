"""How to make a layer's tar again, byte for byte, out of the layer's files.

An uncompressed layer is not kept twice. Beside its directory lies a recipe: everything of the tar that is not the data of a
plain file (headers, padding, odd members), and in between the names of the files whose data follow there. The idea is that of
tar-split (github.com/vbatts/tar-split); the format is ours: a zlib stream of records

    D u32 length, bytes        copy these
    F u64 size, u16 length, name   copy that many bytes of that file
    E u64 size                 the end, and the size of the whole tar
"""

from __future__ import annotations

import os
import struct
import zlib

from argosy.base.errors import SystemFailureError
from argosy.storage.archive.sink import Sink

_DATA = struct.Struct(">cI")
_FILE = struct.Struct(">cQH")
_END = struct.Struct(">cQ")
_CHUNK = 1 << 16
_HELD = 1 << 20


class Writer:
    """Collects a recipe while a layer is applied; the reader gives it all that is not data of a plain file, by `append`."""

    def __init__(self, fd: int) -> None:
        self._pending: list[bytes] = []
        self._held = 0
        self.good = True
        self._fd = fd
        self._zlib = zlib.compressobj(1)
        self._size = 0
        self._inodes: set[int] = set()

    def append(self, data: bytes) -> None:
        """These bytes come next. However many there are, few of them are held."""
        self._pending.append(data)
        self._held += len(data)
        if self._held >= _HELD:
            self._flush()

    def file(self, name: bytes, size: int, inode: int) -> None:
        """The tar goes on with the data of this file, which was just created."""
        self._flush()
        self._inodes.add(inode)
        self._size += size
        self._out(_FILE.pack(b"F", size, len(name)) + name)

    def gone(self, inode: int) -> None:
        """That inode was replaced. If the recipe names it, the recipe is void."""
        if inode in self._inodes:
            self.good = False

    def finish(self) -> bool:
        """Write the end; return whether the recipe can be used."""
        self._flush()
        self._out(_END.pack(b"E", self._size))
        _write(self._fd, self._zlib.flush())
        return self.good

    def _flush(self) -> None:
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self._held = 0
            self._size += len(data)
            self._out(_DATA.pack(b"D", len(data)) + data)

    def _out(self, data: bytes) -> None:
        if packed := self._zlib.compress(data):
            _write(self._fd, packed)


def assemble(recipe: int, sink: Sink) -> int:
    """Write the tar that the recipe describes, its files taken from the current root; return its size.

    Raises SystemFailureError when a file is gone or has another size.
    """
    stream = _Stream(recipe)
    while True:
        kind = stream.read(1)
        if kind == b"D":
            (length,) = struct.unpack(">I", stream.read(4))
            while length:
                step = min(length, _CHUNK)
                sink.write(stream.read(step))
                length -= step
        elif kind == b"F":
            size, length = struct.unpack(">QH", stream.read(10))
            _file(stream.read(length), size, sink)
        elif kind == b"E":
            (size,) = struct.unpack(">Q", stream.read(8))
            sink.flush()
            if sink.count != size:
                raise SystemFailureError(f"layer recipe makes {sink.count} bytes, {size} were expected")
            return sink.count
        else:
            raise SystemFailureError("layer recipe is damaged")


def _file(name: bytes, size: int, sink: Sink) -> None:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SystemFailureError(f"layer is damaged: {os.fsdecode(name)}: {error.strerror}") from error
    try:
        if os.fstat(fd).st_size != size or sink.send(fd, size) != size:
            raise SystemFailureError(f"layer is damaged: {os.fsdecode(name)} is not {size} bytes long")
    finally:
        os.close(fd)


class _Stream:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._position = 0
        self._zlib = zlib.decompressobj()
        self._data = b""
        self._at = 0

    def read(self, count: int) -> bytes:
        while len(self._data) - self._at < count:
            packed = self._zlib.unconsumed_tail
            if not packed:
                packed = os.pread(self._fd, _CHUNK, self._position)
                self._position += len(packed)
            more = self._zlib.decompress(packed, 4 * _CHUNK) if packed else self._zlib.flush()
            if not more and not packed:
                raise SystemFailureError("layer recipe is damaged")
            self._data = self._data[self._at :] + more
            self._at = 0
        data = self._data[self._at : self._at + count]
        self._at += count
        return data


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
