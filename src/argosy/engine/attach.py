"""Attaching clients: their sockets go to the shim, before the start or while the program runs."""

import asyncio
import contextlib
import fcntl
import functools
import os
import socket
import sys
import termios
from collections.abc import Awaitable
from typing import Protocol

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.engine.container import Container, PendingAttach
from argosy.engine.joining import Joiner, Past
from argosy.engine.model import Status
from argosy.runtime.model import AttachRequest

DEFAULT_KEYS = b"\x10\x11"
"""ctrl-p, ctrl-q."""

_MOMENT, _MOMENTS = 0.002, 50
_SPECIAL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class Connection(Protocol):
    """A client's connection that leaves HTTP (`argosy.api.ports.Hijacked`)."""

    async def take(self, *, multiplexed: bool) -> tuple[int, bytes]: ...


class OpenLog(Protocol):
    def __call__(self, *, terminal: bool) -> Past: ...


def detach_keys(text: str) -> bytes:
    """Return the bytes of ``ctrl-p,ctrl-q`` or ``a,ctrl-x``; empty text: the default. Raises InvalidParameterError."""
    if not text:
        return DEFAULT_KEYS
    found = bytearray()
    for word in text.split(","):
        key = word.removeprefix("ctrl-")
        if len(key) != 1 or not key.isascii():
            raise InvalidParameterError(f"Invalid detach keys ({text}) provided")
        if key == word:
            found.append(ord(key))
        elif key.isalpha():
            found.append(ord(key.lower()) - ord("a") + 1)
        elif key in _SPECIAL:
            found.append(_SPECIAL[key])
        else:
            raise InvalidParameterError(f"Invalid detach keys ({text}) provided")
    return bytes(found)


async def attach(container: Container, request: AttachRequest, connection: Connection, *, stream: bool, log: OpenLog | None) -> None:
    """Take the connection; return when the client has been let go.

    ``log`` opens what the client gets first (``logs=1``), ``terminal``: without frames. Raises ConflictError before anything is answered.
    """
    if container.state.status is Status.PAUSED:
        raise ConflictError(f"container {container.id} is paused, unpause the container before attach")
    if container.state.status is Status.RESTARTING:
        raise ConflictError(f"container {container.id} is restarting, wait until the container is running")
    request = AttachRequest(
        stdin=request.stdin and container.spec.config.open_stdin,
        stdout=request.stdout,
        stderr=request.stderr,
        detach_keys=request.detach_keys,
        multiplexed=request.multiplexed and not container.spec.config.tty,
    )
    with contextlib.ExitStack() as stack:
        past = None if log is None else stack.enter_context(contextlib.closing(log(terminal=not request.multiplexed)))
        sock, first = await connection.take(multiplexed=request.multiplexed)
        stack.callback(os.close, sock)
        try:
            if past is not None:
                await _head_read(sock)
            ended = await _begun(container, request, sock, first, stream, past)
        except ConnectionError:
            return  # the client has left
    if ended is not None:
        await ended


async def _begun(
    container: Container, request: AttachRequest, sock: int, first: bytes, stream: bool, past: Past | None
) -> "Awaitable[None] | None":
    """Return what ends when the client has been let go, None if that is now. The shim has a socket of its own."""
    if past is None:
        if not stream:
            return None
        return _pending(container, request, sock, first) if container.shim is None else await container.shim.attach(request, sock, first)
    with socket.socket(fileno=os.dup(sock)) as client:
        client.setblocking(False)
        send = functools.partial(asyncio.get_running_loop().sock_sendall, client)
        if not stream or container.shim is None:
            async for piece in past.pieces():
                await send(piece)
        if not stream:
            return None
        # It may have been started meanwhile, and have said something.
        if container.shim is None:
            return _pending(container, request, sock, first)
        return await Joiner(container.shim, past, send, request, sock, first).join()


def _pending(container: Container, request: AttachRequest, sock: int, first: bytes) -> Awaitable[None]:
    """Let the client wait for the start: it is the program's foreground then."""
    client = PendingAttach(request, os.dup(sock), first, asyncio.get_running_loop().create_future())
    container.pending.append(client)
    return _until_done(container, client)


async def _until_done(container: Container, client: PendingAttach) -> None:
    try:
        await client.done
    except asyncio.CancelledError:
        if client in container.pending:
            container.pending.remove(client)
            os.close(client.sock)
        raise


async def _head_read(sock: int) -> None:
    """Give the client a moment to read the answer's head by itself.

    Clients built on Python's http.client (docker-py) buffer what arrives together with the head, and then miss it on the socket.
    The log is there at once, while a program's output takes its time. SIOCOUTQ: what the peer has not read (unix(7)).
    """
    for _ in range(_MOMENTS):
        try:
            if not int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder):
                return
        except OSError:
            return
        await asyncio.sleep(_MOMENT)
