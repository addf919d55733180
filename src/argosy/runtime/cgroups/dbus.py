"""As much D-Bus as talking to systemd needs: one call, one answer, on its private socket or the system bus.

https://dbus.freedesktop.org/doc/dbus-specification.html "Type system", "Message protocol", "Authentication".
"""

import _socket
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

PRIVATE = "/run/systemd/private"
SYSTEM_BUS = "/run/dbus/system_bus_socket"
_CALL, _RETURN, _ERROR = 1, 2, 3
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8
_ALIGN = {"y": 1, "b": 4, "i": 4, "u": 4, "t": 8, "s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "v": 1}
_NUMBERS = {"y": "<B", "b": "<I", "i": "<i", "u": "<I", "t": "<Q"}
_TIMEOUT = 25.0


class BusError(Exception):
    """The other side answered with an error; ``name`` is D-Bus's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{message} ({name})" if message else name)
        self.name = name


class Variant:
    __slots__ = ("signature", "value")

    def __init__(self, signature: str, value: object) -> None:
        self.signature = signature
        self.value = value


def complete_types(signature: str) -> list[str]:
    """Split a signature into single complete types."""
    types, start = [], 0
    while start < len(signature):
        end = _end_of_type(signature, start)
        types.append(signature[start:end])
        start = end
    return types


def _end_of_type(signature: str, start: int) -> int:
    if signature[start] == "a":
        return _end_of_type(signature, start + 1)
    if signature[start] != "(":
        return start + 1
    position = start + 1
    while signature[position] != ")":
        position = _end_of_type(signature, position)
    return position + 1


def marshal(signature: str, values: "Sequence[Any]", out: bytearray) -> bytearray:
    """Append the values, aligned from the start of ``out``."""
    for kind, value in zip(complete_types(signature), values, strict=True):
        _marshal_one(kind, value, out)
    return out


def _pad(out: bytearray, alignment: int) -> None:
    out += b"\0" * (-len(out) % alignment)


def _marshal_one(kind: str, value: "Any", out: bytearray) -> None:
    first = kind[0]
    _pad(out, _ALIGN[first])
    if first in _NUMBERS:
        out += struct.pack(_NUMBERS[first], value)
    elif first in "so":
        text = value.encode()
        out += struct.pack("<I", len(text)) + text + b"\0"
    elif first == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif first == "v":
        _marshal_one("g", value.signature, out)
        _marshal_one(value.signature, value.value, out)
    elif first == "(":
        marshal(kind[1:-1], value, out)
    else:
        _marshal_array(kind[1:], value, out)


def _marshal_array(kind: str, values: "Sequence[Any]", out: bytearray) -> None:
    length_at = len(out)
    out += b"\0\0\0\0"
    _pad(out, _ALIGN[kind[0]])
    begin = len(out)
    for value in values:
        _marshal_one(kind, value, out)
    out[length_at : length_at + 4] = struct.pack("<I", len(out) - begin)


class Reader:
    """Unmarshals from a message's bytes."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def read(self, signature: str) -> "list[Any]":
        return [self._one(kind) for kind in complete_types(signature)]

    def _align(self, alignment: int) -> None:
        self.position += -self.position % alignment

    def _take(self, size: int) -> bytes:
        part = self.data[self.position : self.position + size]
        self.position += size
        return part

    def _one(self, kind: str) -> "Any":
        first = kind[0]
        self._align(_ALIGN[first])
        if first in _NUMBERS:
            size = struct.calcsize(_NUMBERS[first])
            return struct.unpack(_NUMBERS[first], self._take(size))[0]
        if first in "so":
            (length,) = struct.unpack("<I", self._take(4))
            return self._take(length + 1)[:-1].decode()
        if first == "g":
            length = self._take(1)[0]
            return self._take(length + 1)[:-1].decode()
        if first == "v":
            return self._one(self._one("g"))
        if first == "(":
            return self.read(kind[1:-1])
        (length,) = struct.unpack("<I", self._take(4))
        self._align(_ALIGN[kind[1]])
        end = self.position + length
        values = []
        while self.position < end:
            values.append(self._one(kind[1:]))
        return values


def build_call(serial: int, destination: str, path: str, interface: str, member: str, signature: str, values: "Sequence[Any]") -> bytes:
    """Return a method call's bytes."""
    body = bytes(marshal(signature, values, bytearray()))
    fields: list[list[Any]] = [
        [_PATH, Variant("o", path)],
        [_INTERFACE, Variant("s", interface)],
        [_MEMBER, Variant("s", member)],
    ]
    if destination:
        fields.append([_DESTINATION, Variant("s", destination)])
    if signature:
        fields.append([_SIGNATURE, Variant("g", signature)])
    header = marshal("yyyyuua(yv)", [ord("l"), _CALL, 0, 1, len(body), serial, fields], bytearray())
    _pad(header, 8)
    return bytes(header) + body


class Connection:
    """A connection to systemd. Raises OSError, BusError."""

    def __init__(self, private: str = PRIVATE, bus: str = SYSTEM_BUS) -> None:
        self._serial = 0
        self._buffer = b""
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self._socket.settimeout(_TIMEOUT)
        try:
            try:
                self._socket.connect(private)
                self._destination = ""
            except OSError:
                self._socket.connect(bus)
                self._destination = "org.freedesktop.systemd1"
            self._authenticate()
            if self._destination:
                self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")
        except BaseException:
            self._socket.close()
            raise

    def _authenticate(self) -> None:
        # BEGIN at once and no message before the answer: systemd, which reads all that is there, forgets a message that it read
        # together with BEGIN until more comes (sd-bus looks into its buffer only when the socket is readable).
        self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
        while b"\r\n" not in self._buffer:
            self._receive()
        answer, _, self._buffer = self._buffer.partition(b"\r\n")
        if not answer.startswith(b"OK "):
            raise BusError("authentication", answer.decode("ascii", "replace"))

    def manager(self, member: str, signature: str = "", *values: object) -> "list[Any]":
        """Call systemd's manager (org.freedesktop.systemd1(5)) and return what it answers."""
        return self.call(self._destination, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", member, signature, *values)

    def call(self, destination: str, path: str, interface: str, member: str, signature: str = "", *values: object) -> "list[Any]":
        self._serial += 1
        self._socket.sendall(build_call(self._serial, destination, path, interface, member, signature, values))
        while True:
            kind, fields, body = self._message()
            # Signals and answers to nobody pass by.
            if fields.get(_REPLY_SERIAL) != self._serial or kind not in (_RETURN, _ERROR):
                continue
            arguments = Reader(body).read(fields.get(_SIGNATURE, ""))
            if kind == _ERROR:
                raise BusError(str(fields.get(_ERROR_NAME, "error")), str(arguments[0]) if arguments else "")
            return arguments

    def _message(self) -> "tuple[int, dict[int, Any], bytes]":
        while len(self._buffer) < 16:
            self._receive()
        _, kind, _, _, body_length, _, fields_length = struct.unpack_from("<BBBBIII", self._buffer)
        body_at = 16 + fields_length + (-fields_length % 8)
        while len(self._buffer) < body_at + body_length:
            self._receive()
        (fields,) = Reader(self._buffer, 12).read("a(yv)")
        body = self._buffer[body_at : body_at + body_length]
        self._buffer = self._buffer[body_at + body_length :]
        return kind, {code: value for code, value in fields}, body  # noqa: C416 (lists of two, not pairs)

    def _receive(self) -> None:
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionResetError("systemd closed the connection")
        self._buffer += part

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
