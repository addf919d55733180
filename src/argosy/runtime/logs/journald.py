"""The driver ``journald``: systemd's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), Docker's fields."""

import struct

from argosy.runtime.logs.datagram import Datagrams
from argosy.runtime.logs.lines import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"
_PRIORITY = {1: b"PRIORITY=6\n", 2: b"PRIORITY=3\n"}


def field(name: str, value: bytes) -> bytes:
    """Return one field; a value with a newline is written with its length in front."""
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def variable(name: str) -> str:
    """Return a label's or variable's name as a field name: upper case, only letters, digits and ``_`` (moby ``sanitizeKeyMod``)."""
    kept = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.upper())
    return kept.lstrip("_")


def constant_fields(options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> bytes:
    identifier = options.get("argosy.id", "")
    tag = options.get("tag") or identifier[:12]
    fields = {
        "CONTAINER_ID": identifier[:12],
        "CONTAINER_ID_FULL": identifier,
        "CONTAINER_NAME": options.get("argosy.name", ""),
        "CONTAINER_TAG": tag,
        "IMAGE_NAME": options.get("argosy.image", ""),
        "SYSLOG_IDENTIFIER": tag,
        **{variable(name): value for name, value in attributes.items() if name != "tag"},
    }
    return b"".join(field(name, value.encode()) for name, value in fields.items() if name)


class Journald:
    def __init__(self, options: "Mapping[str, str]", attributes: "Mapping[str, str]", address: str = SOCKET) -> None:
        self._socket = Datagrams(address)
        self._fields = constant_fields(options, attributes)
        self._lines = {1: Lines(), 2: Lines()}

    def write(self, stream: int, data: bytes) -> None:
        for partial, text in self._lines[stream].feed(data):
            for line in [text] if partial else text.split(b"\n")[:-1]:
                self._send(stream, line, partial)

    def end(self, stream: int) -> None:
        for _, text in self._lines[stream].end():
            self._send(stream, text, True)

    @property
    def lost(self) -> int:
        return self._socket.lost

    def close(self) -> None:
        self._socket.close()

    def _send(self, stream: int, line: bytes, partial: bool) -> None:
        mark = b"CONTAINER_PARTIAL_MESSAGE=true\n" if partial else b""
        self._socket.send(field("MESSAGE", line) + _PRIORITY[stream] + mark + self._fields)
