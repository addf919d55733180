"""Attaching clients: their sockets go to the shim, before the start or while the program runs."""

import asyncio
import fcntl
import os
import sys
import termios
from collections.abc import AsyncIterator
from typing import Protocol

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.engine.container import Container, PendingAttach
from argosy.engine.model import Status
from argosy.runtime.model import AttachRequest

DEFAULT_KEYS = b"\x10\x11"
"""ctrl-p, ctrl-q."""

_MOMENT, _MOMENTS = 0.002, 50
_SPECIAL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class Connection(Protocol):
    """A client's connection that leaves HTTP (`argosy.api.ports.Hijacked`)."""

    async def take(self, *, multiplexed: bool) -> tuple[int, bytes]: ...


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


async def attach(
    container: Container, request: AttachRequest, connection: Connection, *, stream: bool, past: AsyncIterator[bytes] | None
) -> None:
    """Take the connection; return when the client has been let go.

    ``past`` yields the log so far, already framed (``logs=1``). Raises ConflictError before anything is answered.
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
        multiplexed=not container.spec.config.tty,
    )
    sock, first = await connection.take(multiplexed=request.multiplexed)
    if past is not None:
        await _head_read(sock)
        await _write_all(sock, past)
    if not stream:
        os.close(sock)
        return
    shim = container.shim if container.running else None
    if shim is not None:
        ended = await shim.attach(request, sock, first)
        os.close(sock)
        await ended
        return
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    client = PendingAttach(request, sock, first, done)
    container.pending.append(client)
    try:
        await done
    except asyncio.CancelledError:
        if client in container.pending:
            container.pending.remove(client)
            os.close(sock)
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


async def _write_all(sock: int, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        await asyncio.to_thread(_send, sock, chunk)


def _send(sock: int, data: bytes) -> None:
    os.set_blocking(sock, True)
    view = memoryview(data)
    while view:
        view = view[os.write(sock, view) :]
