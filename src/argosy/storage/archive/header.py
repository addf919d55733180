"""Blocks of a tar header: ustar, PAX and GNU, both ways.

POSIX.1-2017 pax "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format" and "Storing Sparse
Files". Written archives are ustar, with a PAX header only where ustar cannot say it; that is what Go's archive/tar does.
"""

from __future__ import annotations

import struct

from argosy.storage.archive.entry import BLOCK, CHARACTER, DIRECTORY, HARDLINK, REGULAR, SYMLINK, ArchiveError, Entry

_FIELDS = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_ZERO = bytes(BLOCK)
_XATTR = b"SCHILY.xattr."
_SECOND = 1_000_000_000
_OCTAL_SIZE = 8**11
_OCTAL_ID = 8**7
_BLANK_SUM = b" " * 8


class Raw:
    """The fields of one header block, still without PAX records."""

    __slots__ = ("block", "entry", "magic")

    def __init__(self, block: bytes, entry: Entry, magic: bytes) -> None:
        self.block = block
        self.entry = entry
        self.magic = magic


def parse(block: bytes) -> Raw | None:
    """Return the header, None for a block of zeros (end of archive). Raises ArchiveError when it is no header."""
    if block == _ZERO:
        return None
    name, mode, uid, gid, size, mtime, checksum, kind, link, magic, _, _, major, minor, prefix = _FIELDS.unpack(block)
    total = sum(block) - sum(checksum) + 256
    wanted = number(checksum)
    # Old tars summed signed characters.
    if total != wanted and wanted != total - 256 * sum(1 for byte in block[:148] + block[156:] if byte > 127):
        raise ArchiveError("archive/tar: invalid tar header")
    name = _text(name)
    if magic == b"ustar\x0000" and prefix[0]:
        name = _text(prefix) + b"/" + name
    entry = Entry(
        name,
        kind,
        mode=number(mode) & 0o7777,
        uid=number(uid),
        gid=number(gid),
        size=number(size),
        mtime=number(mtime) * _SECOND,
        linkname=_text(link),
        devmajor=number(major) if magic.startswith(b"ustar") else 0,
        devminor=number(minor) if magic.startswith(b"ustar") else 0,
    )
    if entry.size < 0:
        raise ArchiveError("archive/tar: invalid tar header")
    if kind in (b"\0", b"7"):
        # v7 wrote NUL for plain files, and a trailing slash for directories; type 7 is "contiguous".
        entry.kind = DIRECTORY if name.endswith(b"/") and kind == b"\0" else REGULAR
    if entry.kind in (HARDLINK, SYMLINK, DIRECTORY, CHARACTER, b"4", b"6"):
        # These have no data, whatever the size field says (pax allows a size on links).
        entry.size = entry.stored = 0
    return Raw(block, entry, magic)


def parse_records(data: bytes) -> dict[bytes, bytes]:
    """Return the PAX records of an extended header. Raises ArchiveError."""
    records: dict[bytes, bytes] = {}
    position, end = 0, len(data)
    while position < end and data[position] != 0:
        space = data.find(b" ", position, position + 21)
        if space < 0 or not data[position:space].isdigit():
            raise ArchiveError("archive/tar: invalid tar header")
        stop = position + int(data[position:space])
        if stop > end or stop <= space + 1 or data[stop - 1] != 10:
            raise ArchiveError("archive/tar: invalid tar header")
        key, equals, value = data[space + 1 : stop - 1].partition(b"=")
        if not equals:
            raise ArchiveError("archive/tar: invalid tar header")
        if key == b"GNU.sparse.offset" or key == b"GNU.sparse.numbytes":
            # Format 0.0 repeats these two; kept as one list that `sparse.py` reads.
            value = records.get(b"GNU.sparse.map", b"") + b"," * (b"GNU.sparse.map" in records) + value
            key = b"GNU.sparse.map"
        records[key] = value
        position = stop
    return records


def apply_records(entry: Entry, records: dict[bytes, bytes]) -> None:
    """Let PAX records overrule what the header block said."""
    try:
        for key, value in records.items():
            if key == b"path":
                entry.name = value
            elif key == b"linkpath":
                entry.linkname = value
            elif key == b"size":
                size = int(value)
                if size < 0:
                    raise ValueError
                if entry.kind == REGULAR:
                    entry.size = entry.stored = size
            elif key == b"mtime":
                entry.mtime = _nanoseconds(value)
            elif key == b"uid":
                entry.uid = int(value)
            elif key == b"gid":
                entry.gid = int(value)
            elif key.startswith(_XATTR):
                entry.xattrs[key[len(_XATTR) :]] = value
    except ValueError as error:
        raise ArchiveError("archive/tar: invalid tar header") from error
    if entry.kind == REGULAR and entry.name.endswith(b"/"):
        entry.kind = DIRECTORY


def encode(entry: Entry) -> bytes:
    """Return the header blocks of an entry, PAX ones included."""
    records: list[tuple[bytes, bytes]] = []
    name, prefix = _split(entry.name)
    if not name or not entry.name.isascii():
        records.append((b"path", entry.name))
        name, prefix = name or entry.name[:100], b""
    link = entry.linkname
    if len(link) > 100 or not link.isascii():
        records.append((b"linkpath", link))
        link = link[:100]
    seconds, fraction = divmod(entry.mtime, _SECOND)
    if fraction or not 0 <= seconds < _OCTAL_SIZE:
        records.append((b"mtime", _decimal(entry.mtime)))
        seconds = min(max(seconds, 0), _OCTAL_SIZE - 1)
    size, uid, gid = entry.size, entry.uid, entry.gid
    if size >= _OCTAL_SIZE:
        records.append((b"size", b"%d" % size))
        size = 0
    if uid >= _OCTAL_ID:
        records.append((b"uid", b"%d" % uid))
        uid = 0
    if gid >= _OCTAL_ID:
        records.append((b"gid", b"%d" % gid))
        gid = 0
    for key, value in sorted(entry.xattrs.items()):
        records.append((_XATTR + key, value))
    block = _block(name, prefix, entry.kind, link, entry.mode, uid, gid, size, seconds, entry.devmajor, entry.devminor)
    if not records:
        return block
    body = b"".join(_record(key, value) for key, value in sorted(records))
    directory, _, base = entry.name.rstrip(b"/").rpartition(b"/")
    pax_name = b"/".join(filter(None, (directory[:60], b"PaxHeaders.0", base[:20])))
    if not pax_name.isascii():
        pax_name = b"PaxHeaders.0/entry"
    pax = _block(pax_name, b"", b"x", b"", 0o644, 0, 0, len(body), 0, 0, 0)
    return pax + body + bytes(-len(body) % BLOCK) + block


END = bytes(2 * BLOCK)


def _block(
    name: bytes, prefix: bytes, kind: bytes, link: bytes, mode: int, uid: int, gid: int, size: int, mtime: int, major: int, minor: int
) -> bytes:
    raw = bytearray(
        _FIELDS.pack(
            name,
            b"%07o\0" % mode,
            b"%07o\0" % uid,
            b"%07o\0" % gid,
            b"%011o\0" % size,
            b"%011o\0" % mtime,
            _BLANK_SUM,
            kind,
            link,
            b"ustar\x0000",
            b"",
            b"",
            b"%07o\0" % major,
            b"%07o\0" % minor,
            prefix,
        )
    )
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def _record(key: bytes, value: bytes) -> bytes:
    # The length counts its own digits.
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) != len(str(rest)):
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Return (name, prefix) that fit ustar's fields, or empty bytes when none does."""
    if len(name) <= 100:
        return name, b""
    # The prefix ends at a slash; the name after it may not be empty.
    cut = name.find(b"/", len(name) - 101, min(len(name) - 1, 156))
    if cut < 1 or cut > 155:
        return b"", b""
    return name[cut + 1 :], name[:cut]


def _text(field: bytes) -> bytes:
    end = field.find(b"\0")
    return field if end < 0 else field[:end]


def number(field: bytes) -> int:
    """Return a numeric field: octal digits, or GNU's base-256. Raises ArchiveError."""
    if field[0] & 0x80:
        # GNU base-256: big-endian two's complement, the top bit is only a mark.
        value = int.from_bytes(field, "big")
        bits = 8 * len(field) - 1
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value
    digits = field.strip(b" \0")
    end = digits.find(b"\0")
    if end >= 0:
        digits = digits[:end]
    try:
        return int(digits, 8) if digits else 0
    except ValueError as error:
        raise ArchiveError("archive/tar: invalid tar header") from error


def _nanoseconds(text: bytes) -> int:
    whole, _, fraction = text.partition(b".")
    negative = whole.startswith(b"-")
    value = abs(int(whole or b"0")) * _SECOND + int((fraction[:9] or b"0").ljust(9, b"0"))
    return -value if negative else value


def _decimal(ns: int) -> bytes:
    sign = b"-" if ns < 0 else b""
    seconds, fraction = divmod(abs(ns), _SECOND)
    text = b"%s%d.%09d" % (sign, seconds, fraction)
    return text.rstrip(b"0").rstrip(b".") if fraction else b"%s%d" % (sign, seconds)
