"""The process that sends a container's log to a server: a fork of the shim, so that whoever waits for a server is it alone.

It reads the shim's frames (those of the driver ``local``) from a pipe, makes the driver's records of them and delivers these in
order. While one cannot be delivered it does not read on, the pipe fills, and the shim knows. It ends when the shim has closed
the pipe and all is delivered, ten seconds later at most; it outlives a shim that was killed by as much.
"""

import os
import select
import time

from argosy.runtime.logs.fluentd import Fluentd
from argosy.runtime.logs.gelf import Gelf
from argosy.runtime.logs.local import HEAD, OVERHEAD, PARTIAL
from argosy.runtime.logs.syslog import Syslog
from argosy.runtime.shim.title import set_title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Protocol

    class Driver(Protocol):
        eager: bool
        """Events are dropped rather than waited for (``fluentd-async``)."""

        def check(self) -> None:
            """Raise ValueError or OSError, in Docker's words, if a container must not start with it."""
            ...

        def encode(self, stream: int, partial: bool, time_ns: int, line: bytes) -> bytes:
            """Return the record of one line; empty: there is nothing to send."""
            ...

        def deliver(self, record: bytes) -> None:
            """Raise OSError if the server did not take it."""
            ...

        def retry(self, attempt: int) -> float | None:
            """Return after how many seconds the record is tried again, None: it is lost."""
            ...

        def close(self) -> None: ...


DRIVERS: "Mapping[str, Any]" = {"syslog": Syslog, "gelf": Gelf, "fluentd": Fluentd}
END_SECONDS = 10.0
_READ = 64 * 1024


def make(plan: "Mapping[str, Any]") -> "Driver":
    """Return the driver of a plan. Raises ValueError on options that cannot be."""
    driver: Driver = DRIVERS[plan["driver"]](plan.get("options") or {}, plan.get("attributes") or {})
    return driver


class Sender:
    """``fd``: the pipe's end to read from."""

    def __init__(self, fd: int, driver: "Driver") -> None:
        self._fd, self._driver = fd, driver
        self._rest = b""
        self._records: list[bytes] = []
        self._next = 0
        self._attempts = 0
        self._due = 0.0
        self._ended = False
        self._end: float | None = None

    def run(self) -> None:
        """Return when there is nothing left to send, or no time."""
        while True:
            self._deliver()
            if self._late() or (self._ended and not self._waiting()):
                break
            self._poll()
        self._driver.close()

    def _poll(self) -> None:
        """Wait for more to send, or until it is time to try again; and notice the end of the shim in either case."""
        poll = select.poll()
        if not self._waiting():
            poll.register(self._fd, select.POLLIN)
        elif self._end is None:
            poll.register(self._fd, 0)
        for _, events in poll.poll(self._patience()):
            if events & select.POLLHUP and self._end is None:
                self._end = time.monotonic() + END_SECONDS
            if not self._waiting():
                self._read()

    def _late(self) -> bool:
        return self._end is not None and time.monotonic() > self._end

    def _waiting(self) -> bool:
        return self._next < len(self._records)

    def _patience(self) -> int | None:
        if not self._waiting():
            return None
        until = self._due if self._end is None else min(self._due, self._end)
        return max(0, int((until - time.monotonic()) * 1000) + 1)

    def _deliver(self) -> None:
        while self._waiting() and time.monotonic() >= self._due and not self._late():
            try:
                self._driver.deliver(self._records[self._next])
            except OSError:
                self._attempts += 1
                wait = self._driver.retry(self._attempts)
                if wait is not None:
                    self._due = time.monotonic() + wait
                    continue
            self._attempts = 0
            self._next += 1
        if not self._waiting():
            self._records, self._next = [], 0

    def _read(self) -> None:
        data = os.read(self._fd, _READ)
        if not data:
            self._ended = True
            return
        lines, self._rest = lines_of(self._rest + data)
        self._records += [record for line in lines if (record := self._driver.encode(*line))]


def lines_of(data: bytes) -> "tuple[list[tuple[int, bool, int, bytes]], bytes]":
    """Return ([(stream, partial, time, line without newline)], the beginning of a frame that is not whole)."""
    found: list[tuple[int, bool, int, bytes]] = []
    position = 0
    while len(data) - position >= HEAD.size:
        size, stream, flags, _, first = HEAD.unpack_from(data, position)
        if len(data) - position < size + OVERHEAD:
            break
        payload = data[position + HEAD.size : position + HEAD.size + size]
        found += _lines(stream, bool(flags & PARTIAL), first, payload)
        position += size + OVERHEAD
    return found, data[position:]


def _lines(stream: int, partial: bool, first: int, payload: bytes) -> "Iterator[tuple[int, bool, int, bytes]]":
    if partial:
        yield stream, True, first, payload
        return
    for number, line in enumerate(payload.split(b"\n")[:-1]):
        yield stream, False, first + number, line


def run(fd: int, plan: "Mapping[str, Any]") -> None:
    """Be the sender of this plan."""
    set_title("argosy-log", plan["driver"], (plan.get("options") or {}).get("argosy.name", ""))
    Sender(fd, make(plan)).run()
