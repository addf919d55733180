"""Netlink messages and attributes to bytes and back (netlink(7)); pure."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

NLM_F_REQUEST = 0x1
NLM_F_MULTI = 0x2
NLM_F_ACK = 0x4
NLM_F_ROOT = 0x100
NLM_F_MATCH = 0x200
NLM_F_DUMP = NLM_F_ROOT | NLM_F_MATCH
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200

NLMSG_ERROR = 2
NLMSG_DONE = 3

NLA_F_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_NLMSGERR_ATTR_MSG = 1

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
HEADER_SIZE = _HEADER.size


class Request(NamedTuple):
    """One message before it has a sequence number; ``what`` names the act if the kernel refuses it."""

    type: int
    flags: int
    body: bytes
    what: str


class Reply(NamedTuple):
    type: int
    flags: int
    sequence: int
    body: memoryview


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one attribute, padded to four bytes."""
    size = 4 + len(payload)
    return _ATTRIBUTE.pack(size, kind) + payload + bytes(-size % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | NLA_F_NESTED, b"".join(parts))


def u8(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=B", value))


def u16(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=H", value))


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def text(kind: int, value: str) -> bytes:
    """Return a NUL-terminated string attribute."""
    return attribute(kind, value.encode() + b"\0")


def attributes(data: memoryview | bytes) -> dict[int, memoryview]:
    """Return attributes by type, the last of each kind; stops at one that lies about its length."""
    view = memoryview(data)
    found: dict[int, memoryview] = {}
    offset = 0
    while offset + 4 <= len(view):
        size, kind = _ATTRIBUTE.unpack_from(view, offset)
        if size < 4 or offset + size > len(view):
            break
        found[kind & _TYPE_MASK] = view[offset + 4 : offset + size]
        offset += (size + 3) & ~3
    return found


def string(payload: memoryview | None) -> str:
    """Return a NUL-terminated payload as text; empty for an absent one."""
    return "" if payload is None else bytes(payload).split(b"\0", 1)[0].decode(errors="replace")


def pack(request: Request, sequence: int) -> bytes:
    """Return the message as the kernel reads it."""
    size = HEADER_SIZE + len(request.body)
    return _HEADER.pack(size, request.type, request.flags, sequence, 0) + request.body + bytes(-size % 4)


def unpack(data: bytes) -> Iterator[Reply]:
    """Yield the messages of one datagram."""
    view = memoryview(data)
    offset = 0
    while offset + HEADER_SIZE <= len(view):
        size, kind, flags, sequence, _ = _HEADER.unpack_from(view, offset)
        if size < HEADER_SIZE or offset + size > len(view):
            break
        yield Reply(kind, flags, sequence, view[offset + HEADER_SIZE : offset + size])
        offset += (size + 3) & ~3


def failure(reply: Reply) -> tuple[int, str]:
    """Return (errno, the kernel's own explanation) of an NLMSG_ERROR; errno 0 is an acknowledgement."""
    (code,) = struct.unpack_from("=i", reply.body)
    if not code or not reply.flags & NLM_F_ACK_TLVS:
        return -code, ""
    (echoed,) = struct.unpack_from("=I", reply.body, 4)
    start = 4 + (HEADER_SIZE if reply.flags & NLM_F_CAPPED else echoed)
    return -code, string(attributes(reply.body[start:]).get(_NLMSGERR_ATTR_MSG))
