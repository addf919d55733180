"""DNS messages, as much as a resolver of local names needs (RFC 1035, RFC 6891 for EDNS); pure and light.

Queries are parsed strictly, answers of upstream servers are passed on as they came. Imports next to nothing: netd loads it.
"""

import struct

A, PTR, AAAA, OPT, ANY = 1, 12, 28, 41, 255
IN = 1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 2, 3, 4, 5

_HEADER = struct.Struct("!HHHHHH")
_QR, _AA, _TC, _RD, _RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
_MINIMUM = 512


class MalformedMessage(ValueError):
    """The bytes are no DNS query that can be answered."""


class Query:
    """One question with what is needed to answer it."""

    __slots__ = ("edns", "flags", "id", "kind", "klass", "name", "opcode", "question", "size")

    def __init__(self, id: int, flags: int, name: str, kind: int, klass: int, question: bytes, edns: bool, size: int) -> None:
        self.id = id
        self.flags = flags
        self.opcode = flags >> 11 & 15
        self.name = name
        self.kind = kind
        self.klass = klass
        self.question = question
        self.edns = edns
        self.size = size

    def __repr__(self) -> str:
        return f"Query({self.name!r}, {self.kind})"


def parse_name(data: bytes, offset: int) -> tuple[str, int]:
    """Return (name without the final dot, offset behind it). Raises MalformedMessage.

    Compression pointers must point back (RFC 1035 4.1.4), so that none can go in circles.
    """
    labels: list[str] = []
    end = -1
    total = 0
    limit = offset
    while True:
        if offset >= len(data):
            raise MalformedMessage("name runs out of the message")
        size = data[offset]
        if size & 0xC0 == 0xC0:
            if offset + 1 >= len(data):
                raise MalformedMessage("pointer runs out of the message")
            target = (size & 0x3F) << 8 | data[offset + 1]
            if end < 0:
                end = offset + 2
            if target >= limit:
                raise MalformedMessage("pointer does not point back")
            offset = limit = target
            continue
        if size & 0xC0:
            raise MalformedMessage("unknown label type")
        offset += 1
        if not size:
            break
        if offset + size > len(data):
            raise MalformedMessage("label runs out of the message")
        total += size + 1
        if total > 254:
            raise MalformedMessage("name is too long")
        labels.append(data[offset : offset + size].decode("latin-1"))
        offset += size
    return ".".join(labels), (offset if end < 0 else end)


def pack_name(name: str) -> bytes:
    """Return the wire form of a name. Raises MalformedMessage when it cannot be one."""
    parts = []
    for label in name.rstrip(".").split(".") if name.rstrip(".") else []:
        raw = label.encode("latin-1", "replace")
        if not 0 < len(raw) < 64:
            raise MalformedMessage(f"label of {len(raw)} bytes")
        parts.append(bytes((len(raw),)) + raw)
    wire = b"".join(parts) + b"\0"
    if len(wire) > 255:
        raise MalformedMessage("name is too long")
    return wire


def parse_query(data: bytes) -> Query:
    """Return the query. Raises MalformedMessage for anything but one question with at most an OPT behind it."""
    if len(data) < 12:
        raise MalformedMessage("shorter than a header")
    id, flags, questions, answers, authorities, additional = _HEADER.unpack_from(data)
    if flags & _QR:
        raise MalformedMessage("a response")
    if questions != 1:
        raise MalformedMessage(f"{questions} questions")
    name, offset = parse_name(data, 12)
    if offset + 4 > len(data):
        raise MalformedMessage("question runs out of the message")
    kind, klass = struct.unpack_from("!HH", data, offset)
    question = data[12 : offset + 4]
    edns, size = False, _MINIMUM
    offset += 4
    if not answers and not authorities:
        for _ in range(additional):
            _, offset = parse_name(data, offset)
            if offset + 10 > len(data):
                raise MalformedMessage("record runs out of the message")
            record, udp_size, _, length = struct.unpack_from("!HHIH", data, offset)
            offset += 10 + length
            if offset > len(data):
                raise MalformedMessage("record runs out of the message")
            if record == OPT:
                edns, size = True, max(udp_size, _MINIMUM)
    return Query(id, flags, name, kind, klass, question, edns, size)


def parse_id(data: bytes) -> int:
    """Return the message's id, -1 for something too short to have one."""
    return data[0] << 8 | data[1] if len(data) >= 12 else -1


def rcode(data: bytes) -> int:
    return data[3] & 15 if len(data) >= 12 else SERVFAIL


def truncated(data: bytes) -> bool:
    return len(data) >= 12 and bool(data[2] & 0x02)


def with_id(data: bytes, id: int) -> bytes:
    """Return the message under another id."""
    return struct.pack("!H", id) + data[2:]


def same_question(query: Query, data: bytes) -> bool:
    """Whether a response echoes the question (case may differ), so that a stray datagram is not taken for the answer."""
    end = 12 + len(query.question)
    return len(data) >= end and data[4:6] == b"\0\1" and data[12:end].lower() == query.question.lower()


def response(query: Query, code: int, records: list[tuple[int, bytes]], *, ttl: int, limit: int, authoritative: bool = True) -> bytes:
    """Return the answer: ``records`` are (type, data) of the questioned name. Too big for ``limit``: empty and marked truncated."""
    flags = _QR | _RA | (query.flags & (_RD | 0x7800)) | code
    if authoritative:
        flags |= _AA
    additional = b"\0" + struct.pack("!HHIH", OPT, 4096, 0, 0) if query.edns else b""
    body = b"".join(struct.pack("!HHHIH", 0xC00C, kind, IN, ttl, len(data)) + data for kind, data in records)
    count = len(records)
    if 12 + len(query.question) + len(body) + len(additional) > limit:
        flags, body, count = flags | _TC, b"", 0
    return _HEADER.pack(query.id, flags, 1, count, 0, 1 if additional else 0) + query.question + body + additional


def refusal(data: bytes, code: int) -> bytes:
    """Return an answer to something that could not be parsed, empty if not even its id is known."""
    if len(data) < 12 or data[2] & 0x80:
        return b""
    flags = _QR | _RA | (data[2] << 8 & (_RD | 0x7800)) | code
    return _HEADER.pack(parse_id(data), flags, 0, 0, 0, 0)


def query(id: int, name: str, kind: int, *, edns_size: int = 0) -> bytes:
    """Return a recursive query; used by tests and diagnosis."""
    extra = b"\0" + struct.pack("!HHIH", OPT, edns_size, 0, 0) if edns_size else b""
    return _HEADER.pack(id, _RD, 1, 0, 0, 1 if extra else 0) + pack_name(name) + struct.pack("!HH", kind, IN) + extra


def answers(data: bytes) -> list[tuple[str, int, bytes]]:
    """Return (name, type, data) of the answer section; names in PTR data are unpacked. Raises MalformedMessage."""
    if len(data) < 12:
        raise MalformedMessage("shorter than a header")
    _, _, questions, count, _, _ = _HEADER.unpack_from(data)
    offset = 12
    for _ in range(questions):
        _, offset = parse_name(data, offset)
        offset += 4
    found = []
    for _ in range(count):
        name, offset = parse_name(data, offset)
        if offset + 10 > len(data):
            raise MalformedMessage("record runs out of the message")
        kind, _, _, length = struct.unpack_from("!HHIH", data, offset)
        offset += 10
        if offset + length > len(data):
            raise MalformedMessage("record runs out of the message")
        value = parse_name(data, offset)[0].encode("latin-1") if kind == PTR else bytes(data[offset : offset + length])
        offset += length
        found.append((name, kind, value))
    return found
