"""``RUN --mount=type=ssh``: a socket in the container, each of whose connections goes to the agent that the client has.

github.com/moby/buildkit ``session/sshforward``. Keys stay with the client: what passes are an agent's questions and answers.
"""

import asyncio
import contextlib
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from argosy.base.errors import UnavailableError
from argosy.build.request import Agent
from argosy.buildkit import messages
from argosy.buildkit.sessions import Session

_CHECK, _FORWARD = "/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent"
_PIECE = 32 << 10


async def agent(session: Session, name: str) -> Agent | None:
    """Return how a connection is carried to the client's agent of that name, None if it has none. Raises UnavailableError."""
    if _FORWARD not in session.methods:
        return None
    try:
        await session.caller.ask(_CHECK, messages.AgentRequest(id=name), "Empty")
    except GRPCError as error:
        if error.status in (Status.NOT_FOUND, Status.UNKNOWN):
            return None
        raise UnavailableError(f"ssh agent {name}: {error.message}") from error

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(UnavailableError, ConnectionError):
            async with session.caller.conversation(_FORWARD, "Bytes", [("buildkit.ssh.id", name)]) as stream:
                sending = asyncio.ensure_future(_sent(reader, stream))
                try:
                    while (message := await stream.recv_message()) is not None:
                        writer.write(message.data)
                        await writer.drain()
                finally:
                    sending.cancel()
                    with contextlib.suppress(asyncio.CancelledError, Exception):
                        await sending
        writer.close()

    return carry


async def _sent(reader: asyncio.StreamReader, stream: Any) -> None:
    while data := await reader.read(_PIECE):
        await stream.send_message(messages.Bytes(data=data))
    await stream.end()
