"""One member of an archive, and the words for what an archive did wrong."""

from __future__ import annotations

from argosy.base.errors import InvalidParameterError

BLOCK = 512

REGULAR, HARDLINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"


class ArchiveError(InvalidParameterError):
    """The archive is broken or wants something that it may not have."""


class Entry:
    """Names are bytes as they stand in the archive; times are ns; ``kind`` is the type flag, ``b"0"`` for all plain files.

    ``sparse`` is None or the data segments ``(offset, length)`` of a sparse file, whose full length then is ``size``;
    ``stored`` is how many bytes of data follow in the archive.
    """

    __slots__ = ("devmajor", "devminor", "gid", "kind", "linkname", "mode", "mtime", "name", "size", "sparse", "stored", "uid", "xattrs")

    def __init__(
        self,
        name: bytes,
        kind: bytes = REGULAR,
        *,
        mode: int = 0o644,
        uid: int = 0,
        gid: int = 0,
        size: int = 0,
        mtime: int = 0,
        linkname: bytes = b"",
        devmajor: int = 0,
        devminor: int = 0,
        xattrs: dict[bytes, bytes] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = self.stored = size
        self.mtime = mtime
        self.linkname = linkname
        self.devmajor = devmajor
        self.devminor = devminor
        self.xattrs = xattrs or {}
        self.sparse: list[tuple[int, int]] | None = None


def clean(name: bytes) -> bytes:
    """Return the name relative to the root (``b"."`` for the root itself), without ``.``, doubled or inner ``..``.

    Raises ArchiveError in Docker's words when it points above the root, whatever the confinement would make of it.
    """
    if b"\0" in name:
        raise ArchiveError(f"invalid name in archive: {name!r}")
    if not (name.startswith(b"/") or b"//" in name or b"." in name or name.endswith(b"/")):
        return name or b"."
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part in (b"", b"."):
            continue
        if part == b"..":
            if not parts:
                raise ArchiveError(f'"{show(name)}" is outside of "/"')
            parts.pop()
        else:
            parts.append(part)
    return b"/".join(parts) or b"."


def show(name: bytes) -> str:
    """Return a name for a message."""
    return name.decode("utf-8", "backslashreplace")
