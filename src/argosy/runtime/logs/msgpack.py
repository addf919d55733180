"""The little of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) that fluentd's forward protocol needs."""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def text(value: bytes) -> bytes:
    """Return a str; what is not UTF-8 is sent as it came, as Go's clients do."""
    size = len(value)
    if size < 32:
        return bytes((0xA0 | size,)) + value
    if size < 1 << 8:
        return b"\xd9" + bytes((size,)) + value
    if size < 1 << 16:
        return struct.pack(">BH", 0xDA, size) + value
    return struct.pack(">BI", 0xDB, size) + value


def array(count: int) -> bytes:
    """Return the head of an array of up to 15 items."""
    return bytes((0x90 | count,))


def table(entries: "Mapping[bytes, bytes]") -> bytes:
    """Return a map of str to str."""
    head = bytes((0x80 | len(entries),)) if len(entries) < 16 else struct.pack(">BH", 0xDE, len(entries))
    return head + b"".join(text(key) + text(value) for key, value in entries.items())


def seconds(time_ns: int) -> bytes:
    """Return an integer of whole seconds."""
    return struct.pack(">BI", 0xCE, time_ns // 1_000_000_000)


def event_time(time_ns: int) -> bytes:
    """Return fluentd's EventTime: extension 0 with seconds and nanoseconds."""
    return struct.pack(">BBII", 0xD7, 0, *divmod(time_ns, 1_000_000_000))


def acknowledged(answer: bytes) -> "bytes | None":
    """Return the chunk that ``{"ack": chunk}`` names; None if there is not enough of it yet. Raises ValueError for anything else."""
    head = b"\x81\xa3ack"
    if len(answer) <= len(head) + 1 and head.startswith(answer[: len(head)]):
        return None
    if not answer.startswith(head):
        raise ValueError("not an acknowledgement")
    mark, rest = answer[len(head)], answer[len(head) + 1 :]
    if mark & 0xE0 == 0xA0:
        size = mark & 0x1F
    elif mark == 0xD9:
        size, rest = rest[0], rest[1:]
    else:
        raise ValueError("not an acknowledgement")
    return rest[:size] if len(rest) >= size else None
