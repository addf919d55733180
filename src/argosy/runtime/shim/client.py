"""One attached client: its socket is served here directly, without the daemon.

Docker's stream format (Engine API, ContainerAttach): frames of eight bytes header (stream, three zeros, length big-endian)
and payload; raw for a terminal. Half-close by either side leaves the other direction open.
"""

import _socket as socket
import struct

from argosy.runtime.shim.keys import DetachKeys
from argosy.runtime.shim.loop import ERR, HUP, IN, OUT, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Program(Protocol):
        """What a client is attached to."""

        def input(self, data: bytes) -> bool:
            """Take input; False: the client must pause until the program has read."""
            ...

        def input_ended(self) -> None: ...
        def drained(self) -> None:
            """The client can take output again."""
            ...


BOUND = 4 << 20
"""Bytes that may wait for a client before it counts as slow."""
_READ = 64 * 1024
_SEND_BUFFER = 1 << 20
_SO_SNDBUFFORCE = 32
_HEADER = struct.Struct(">BxxxI")
_DONT_WAIT = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

EOF, KEYS, GONE, SLOW = "eof", "keys", "gone", "slow"


class Client:
    """Feeds output to one socket and takes input from it. ``left`` is called once, with the reason, when it is closed."""

    def __init__(
        self,
        loop: Loop,
        fd: int,
        program: "Program",
        *,
        streams: "frozenset[int]",
        stdin: bool,
        multiplexed: bool,
        keys: bytes,
        foreground: bool,
        left: "Callable[[Client, str], None]",
    ) -> None:
        self.foreground = foreground
        self.queued = 0
        self.open = True
        self.reason = ""
        self._loop, self._program, self._left = loop, program, left
        self._socket = socket.socket(fileno=fd)
        self._fd = fd
        self._streams, self._multiplexed = streams, multiplexed
        self._keys = DetachKeys(keys)
        self._reads, self._paused = stdin, False
        self._ending = ""
        self._queue: list[bytes | memoryview] = []
        self._parked = False
        self._watched = self._wanted()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
        except OSError:
            pass
        loop.add(fd, self._watched, self._ready)

    @property
    def full(self) -> bool:
        return self.queued >= BOUND

    def feed(self, stream: int, data: bytes) -> None:
        """Send output of a stream that this client asked for; what the socket does not take waits here."""
        if not self.open or self._ending or stream not in self._streams:
            return
        pieces: list[bytes | memoryview] = [_HEADER.pack(stream, len(data)), data] if self._multiplexed else [data]
        if self._queue:
            self._enqueue(pieces)
            return
        rest = self._send(pieces)
        if rest and self.open:
            self._enqueue(rest)
            self._watch()

    def receive(self, data: bytes) -> None:
        """Take input (also what the daemon had read before it handed the socket over)."""
        if not self._reads or not data:
            return
        passed, detached = self._keys.filter(data)
        if passed and not self._program.input(passed):
            self._paused = True
            self._watch()
        if detached:
            self.end(KEYS)

    def resume(self) -> None:
        """The program reads again."""
        if self._paused and self.open:
            self._paused = False
            self._watch()

    def dismiss(self, reason: str, note: bytes) -> None:
        """Drop what waits for a client that is too slow; it gets the frame that has begun, the note, and is let go."""
        if self._multiplexed:
            # The queue holds pairs of header and payload; of the first pair some may have been sent.
            headless = len(self._queue) % 2 == 1
            begun = headless or isinstance(self._queue[0], memoryview)
            self._queue = [*self._queue[: (1 if headless else 2) if begun else 0], _HEADER.pack(2, len(note)), note]
        else:
            self._queue = [note]
        self.queued = sum(map(len, self._queue))
        self.end(reason)

    def end(self, reason: str) -> None:
        """Let the client go once it has received what waits for it."""
        if not self.open or self._ending:
            return
        self._ending = reason
        if self._queue:
            self._watch()
        else:
            self.close(reason)

    def close(self, reason: str) -> None:
        if not self.open:
            return
        self.open, self.reason = False, reason
        if not self._parked:
            self._loop.remove(self._fd)
        try:
            # The daemon may hold a duplicate: only shutdown tells the client now.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._queue.clear()
        self.queued = 0
        self._left(self, reason)

    def _ready(self, events: int) -> None:
        if events & OUT:
            self._flush()
        if self.open and events & IN and self._reads and not self._paused:
            self._read()
        if self.open and events & (HUP | ERR):
            self._hung_up(events)

    def _hung_up(self, events: int) -> None:
        if events & ERR or not self._reads:
            if self._reads:
                self._program.input_ended()
            self.close(GONE)
        elif self._paused:
            # What it sent before it left is still to be read, when the program has room.
            self._loop.remove(self._fd)
            self._parked = True

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ, _DONT_WAIT)
        except BlockingIOError:
            return
        except OSError:
            self._stop_reading()
            self.close(GONE)
            return
        if data:
            self.receive(data)
        else:
            self._stop_reading()

    def _stop_reading(self) -> None:
        """Half-close: the client has no more input, but it may still want output."""
        self._reads = False
        self._watch()
        self._program.input_ended()

    def _flush(self) -> None:
        pieces, self._queue, self.queued = self._queue, [], 0
        rest = self._send(pieces)
        if not self.open:
            return
        self._enqueue(rest)
        if not rest:
            self._watch()
            if self._ending:
                self.close(self._ending)
                return
        if self.queued <= BOUND // 2:
            self._program.drained()

    def _send(self, pieces: "list[bytes | memoryview]") -> "list[bytes | memoryview]":
        """Send as much as the socket takes; return the rest. Closes when the client is gone."""
        while pieces:
            try:
                sent = self._socket.sendmsg(pieces[:64], (), _DONT_WAIT)
            except BlockingIOError:
                return pieces
            except OSError:
                if self._reads:
                    self._program.input_ended()
                self.close(GONE)
                return []
            pieces = _after(pieces, sent)
        return pieces

    def _enqueue(self, pieces: "list[bytes | memoryview]") -> None:
        self._queue += pieces
        self.queued += sum(map(len, pieces))

    def _wanted(self) -> int:
        wanted = IN if self._reads and not self._paused else 0
        return wanted | (OUT if self._queue else 0)

    def _watch(self) -> None:
        if not self.open:
            return
        wanted = self._wanted()
        if self._parked:
            if wanted & IN:
                self._parked, self._watched = False, wanted
                self._loop.add(self._fd, wanted, self._ready)
        elif wanted != self._watched:
            self._watched = wanted
            self._loop.watch(self._fd, wanted)


def _after(pieces: "list[bytes | memoryview]", sent: int) -> "list[bytes | memoryview]":
    """Return what is left of ``pieces`` behind the first ``sent`` bytes."""
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return [memoryview(piece)[sent:], *pieces[index + 1 :]]
        sent -= len(piece)
    return []
