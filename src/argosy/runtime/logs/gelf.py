"""The driver ``gelf``: GELF 1.1 over udp (chunked, compressed) or tcp (https://go2docs.graylog.org, GELF), moby ``daemon/logger/gelf``."""

import os
import zlib

from argosy.runtime import plainjson
from argosy.runtime.logs.link import DialError, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 1420 - 12
"""What fits into a datagram of go-gelf beside a chunk's head."""
_MOST_CHUNKS = 128
_LEVEL = {1: 6, 2: 3}
_WINDOW = {"gzip": 31, "zlib": 15}


def extra_fields(options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> dict[str, str]:
    """Return what is the same in each message."""
    identifier = options.get("argosy.id", "")
    return {
        "_command": options.get("argosy.command", ""),
        "_container_id": identifier,
        "_container_name": options.get("argosy.name", ""),
        "_created": options.get("argosy.created", ""),
        "_image_id": options.get("argosy.image_id", ""),
        "_image_name": options.get("argosy.image", ""),
        **{f"_{name}": value for name, value in attributes.items() if name != "tag"},
        "_tag": options.get("tag") or identifier[:12],
    }


def chunks(message: bytes, identifier: bytes) -> list[bytes]:
    """Return the datagrams of one message; none if it is longer than a receiver takes."""
    if len(message) <= CHUNK:
        return [message]
    count = -(-len(message) // CHUNK)
    if count > _MOST_CHUNKS:
        return []
    head = b"\x1e\x0f" + identifier
    return [head + bytes((number, count)) + message[number * CHUNK : (number + 1) * CHUNK] for number in range(count)]


class Gelf:
    """`sender.Driver`."""

    eager = False

    def __init__(self, options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> None:
        scheme, _, place = options.get("gelf-address", "").partition("://")
        self._link = Link(scheme, place)
        self._window = _WINDOW.get(options.get("gelf-compression-type", "gzip"), 0) if scheme == "udp" else 0
        self._level = int(options.get("gelf-compression-level", "1"))
        self._most = int(options.get("gelf-tcp-max-reconnect", "3"))
        self._delay = float(options.get("gelf-tcp-reconnect-delay", "1"))
        self._host = os.uname().nodename
        extra = plainjson.dumps_sorted(extra_fields(options, attributes))
        self._extra = extra[1:]

    def check(self) -> None:
        """Raises OSError in Docker's words. A datagram's receiver need not be there."""
        try:
            self._link.connect()
        except DialError as error:
            raise DialError(error.errno, f"gelf: cannot connect to GELF endpoint: {self._link.place} {error}") from error

    def encode(self, stream: int, partial: bool, time_ns: int, line: bytes) -> bytes:
        if not line:
            return b""
        head = {
            "version": "1.1",
            "host": self._host,
            "short_message": line.decode("utf-8", "replace"),
            "timestamp": time_ns // 1_000_000 / 1000,
            "level": _LEVEL[stream],
        }
        message = f"{plainjson.dumps(head)[:-1]},{self._extra}".encode()
        if self._link.stream:
            return message + b"\0"
        if not self._window:
            return message
        packer = zlib.compressobj(self._level, zlib.DEFLATED, self._window)
        return packer.compress(message) + packer.flush()

    def deliver(self, record: bytes) -> None:
        if self._link.stream:
            if self._link.gone():
                self._link.close()
            self._link.send(record)
            return
        for datagram in chunks(record, os.urandom(8)):
            self._link.send(datagram)

    def retry(self, attempt: int) -> float | None:
        """A datagram is sent once: ECONNREFUSED tells of an earlier one (udp(7)), so that it is tried again once."""
        if not self._link.stream:
            return 0 if attempt == 1 else None
        return self._delay if attempt <= self._most else None

    def close(self) -> None:
        self._link.close()
