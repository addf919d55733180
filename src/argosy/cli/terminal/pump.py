"""Carry bytes between our standard streams and a hijacked connection.

One thread, one poll loop, bounded buffers: a container that does not read is not fed, and what we cannot write is not read.
"""

from __future__ import annotations

import os
import select
import socket
import sys

from argosy.client.stdcopy import STDERR, Demultiplexer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.terminal.keys import DetachKeys
    from argosy.client.sync import Channel

_PIECE = 1 << 16


class Pump:
    """``stdin`` says whether our input is sent; ``framed`` whether output comes as two framed streams."""

    def __init__(
        self,
        channel: Channel,
        *,
        stdin: bool,
        framed: bool,
        stdout: bool = True,
        stderr: bool = True,
        keys: DetachKeys | None = None,
    ) -> None:
        self._channel = channel
        self._socket = channel.socket
        self._input_open = stdin
        self._demultiplexer = Demultiplexer() if framed else None
        self._outputs = {1: stdout, 2: stderr}
        self._keys = keys
        self._pending = b""
        self._poll = select.poll()

    def run(self) -> bool:
        """Carry until the connection ends; returns True when the detach keys ended it."""
        sys.stdout.flush()
        self._socket.setblocking(False)
        try:
            self._output(self._channel.early)
            return self._loop()
        finally:
            self._channel.close()

    def _loop(self) -> bool:
        while True:
            self._register()
            ready = dict(self._poll.poll())
            state = ready.get(self._socket.fileno(), 0)
            if state & select.POLLOUT:
                self._send()
            if state & ~select.POLLOUT and not self._receive():
                return False
            if ready.get(0) and not self._pending and self._read_input():
                return True

    def _register(self) -> None:
        interest = select.POLLIN | (select.POLLOUT if self._pending else 0)
        self._poll.register(self._socket, interest)
        if self._input_open and not self._pending:
            self._poll.register(0, select.POLLIN)
        else:
            self._forget_input()

    def _forget_input(self) -> None:
        try:
            self._poll.unregister(0)
        except KeyError:
            pass

    def _read_input(self) -> bool:
        """Take what was typed or piped; returns True for the detach keys."""
        try:
            data = os.read(0, _PIECE)
        except OSError:
            # The terminal has gone (EIO); for the container that is the end of its input.
            data = b""
        if not data:
            self._input_open = False
            self._half_close()
            return False
        if self._keys is not None:
            data, detached = self._keys.feed(data)
            if detached:
                return True
        self._pending += data
        self._send()
        return False

    def _half_close(self) -> None:
        """Say that no more input comes; TLS cannot (RFC 8446, 6.1), there the daemon sees the end when we go."""
        if type(self._socket) is not socket.socket:
            return
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _send(self) -> None:
        if not self._pending:
            return
        try:
            sent = self._socket.send(self._pending)
        except OSError as error:
            if _would_block(error):
                return
            # The container no longer reads; its output may still come.
            self._pending, self._input_open = b"", False
            return
        self._pending = self._pending[sent:]

    def _receive(self) -> bool:
        """Pass on what came; returns False at the end."""
        while True:
            try:
                data = self._socket.recv(_PIECE)
            except OSError as error:
                return _would_block(error)
            if not data:
                return False
            self._output(data)
            if not getattr(self._socket, "pending", lambda: 0)():
                return True

    def _output(self, data: bytes) -> None:
        if self._demultiplexer is None:
            write_all(1, data)
            return
        for stream, payload in self._demultiplexer.feed(data):
            target = 2 if stream >= STDERR else 1
            if self._outputs[target]:
                write_all(target, payload)


def _would_block(error: OSError) -> bool:
    """A TLS socket says "want read" or "want write" where a plain one says EAGAIN."""
    return isinstance(error, BlockingIOError) or type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def write_all(fd: int, data: bytes) -> None:
    """Write everything; raises BrokenPipeError when the reader has gone."""
    view = memoryview(data)
    while view:
        try:
            written = os.write(fd, view)
        except BlockingIOError:
            # Somebody shares the terminal and made it non-blocking.
            select.select((), (fd,), ())
            continue
        view = view[written:]
