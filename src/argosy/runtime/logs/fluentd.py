"""The driver ``fluentd``: fluentd's forward protocol, one message an event (moby ``daemon/logger/fluentd``).

https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1
"""

import os
import time

from argosy.runtime.logs import msgpack
from argosy.runtime.logs.link import SEND_SECONDS, Link, TlsFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = {1: b"stdout", 2: b"stderr"}
_ACK_SECONDS = 3.0
_GROWTH = 1.5
_LONGEST_WAIT = 60.0
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def target(address: str) -> tuple[str, str]:
    """Return (scheme, place) of ``fluentd-address``: ``host``, ``host:port``, ``tcp://…``, ``tls://…``, ``unix:///path``."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "tcp", address
    if scheme == "unix":
        return "unix", rest
    host, _, port = rest.rpartition(":") if ":" in rest.rpartition("]")[2] else (rest, "", "")
    return scheme, f"{host or '127.0.0.1'}:{port or '24224'}"


def duration(text: str) -> float:
    """Return the seconds of Go's ``1m30s``; it was checked by the daemon."""
    total, number, unit = 0.0, "", ""
    for character in text + "0":
        if unit and (character.isdigit() or character == "."):
            total += float(number) * _UNITS[unit]
            number, unit = "", ""
        if character.isdigit() or character == ".":
            number += character
        elif character not in "+-":
            unit += character
    return total


def truth(text: str) -> bool:
    return text in ("1", "t", "T", "true", "TRUE", "True")


class Fluentd:
    """`sender.Driver`. An event is sent until the server has it, or as often as ``fluentd-max-retries`` says."""

    def __init__(self, options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> None:
        self.eager = truth(options.get("fluentd-async", ""))
        scheme, place = target(options.get("fluentd-address", ""))
        timeout = duration(options.get("fluentd-write-timeout", "0s")) or SEND_SECONDS
        self._link = Link(scheme, place, tls=TlsFiles() if scheme == "tls" else None, timeout=timeout)
        self._wait = duration(options.get("fluentd-retry-wait", "1s"))
        self._most = int(options.get("fluentd-max-retries") or (1 << 31) - 1)
        self._ack = truth(options.get("fluentd-request-ack", ""))
        self._again_after = duration(options.get("fluentd-async-reconnect-interval", "0s"))
        self._connected_at = 0.0
        self._time = msgpack.event_time if truth(options.get("fluentd-sub-second-precision", "")) else msgpack.seconds
        self._tag = msgpack.text((options.get("tag") or options.get("argosy.id", "")[:12]).encode())
        self._constant = {
            b"container_id": options.get("argosy.id", "").encode(),
            b"container_name": b"/" + options.get("argosy.name", "").encode(),
            **{name.encode(): value.encode() for name, value in attributes.items() if name != "tag"},
        }
        self._parts: dict[int, tuple[bytes, int]] = {}

    def check(self) -> None:
        """Raises OSError in Docker's words; with ``fluentd-async`` the server may come later."""
        if not self.eager:
            self._link.connect()

    def encode(self, stream: int, partial: bool, time_ns: int, line: bytes) -> bytes:
        record = {**self._constant, b"source": _SOURCE[stream], b"log": line, **self._part(stream, partial)}
        return msgpack.array(4) + self._tag + self._time(time_ns) + msgpack.table(record)

    def _part(self, stream: int, partial: bool) -> dict[bytes, bytes]:
        """A long line comes in pieces: what fluentd puts them together by."""
        identifier, ordinal = self._parts.get(stream, (b"", 0))
        if not (partial or ordinal):
            return {}
        identifier = identifier or os.urandom(32).hex().encode()
        if partial:
            self._parts[stream] = identifier, ordinal + 1
        else:
            self._parts.pop(stream)
        return {
            b"partial_message": b"true",
            b"partial_id": identifier,
            b"partial_ordinal": b"%d" % (ordinal + 1),
            b"partial_last": b"false" if partial else b"true",
        }

    def deliver(self, record: bytes) -> None:
        now = time.monotonic()
        if self._link.gone() or (self._again_after and now - self._connected_at > self._again_after):
            self._link.close()
        if not self._link.connected:
            self._link.connect()
            self._connected_at = now
        chunk = os.urandom(16).hex().encode() if self._ack else b""
        self._link.send(record + msgpack.table({b"chunk": chunk} if chunk else {}))
        if chunk:
            self._await(chunk)

    def _await(self, chunk: bytes) -> None:
        answer = b""
        while (told := _told(answer)) is None:
            answer += self._link.receive(_ACK_SECONDS)
        if told != chunk:
            self._link.close()
            raise OSError(71, "fluentd acknowledged another event")

    def retry(self, attempt: int) -> float | None:
        if attempt > self._most:
            return None
        return min(self._wait * _GROWTH ** min(attempt - 1, 32), _LONGEST_WAIT)

    def close(self) -> None:
        self._link.close()


def _told(answer: bytes) -> "bytes | None":
    try:
        return msgpack.acknowledged(answer)
    except ValueError as error:
        raise OSError(71, str(error)) from None
