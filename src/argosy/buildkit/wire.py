"""gRPC on a connection that somebody else accepted: the engine's own socket, after its ``Upgrade: h2c``.

grpclib makes its protocols for sockets that it opens itself; what is used of it here beyond its published interface is in this file.
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import grpclib.client
import grpclib.server
from google.protobuf.message import DecodeError
from grpclib.const import Cardinality, Status
from grpclib.const import Handler as Method
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol

from argosy.base.errors import (
    ArgosyError,
    ConflictError,
    NotFoundError,
    NotImplementedInArgosyError,
    UnauthorizedError,
    UnavailableError,
)
from argosy.buildkit import messages

LARGEST = 16 << 20
"""Bytes of one message, as BuildKit's own bound."""
Metadata = Sequence[tuple[str, str]]
Answer = Callable[[Any, Mapping[str, str]], Any]
"""(request, metadata) → a coroutine of the reply, or an async iterator of replies."""
_KINDS = (
    (NotFoundError, Status.NOT_FOUND),
    (ConflictError, Status.ALREADY_EXISTS),
    (NotImplementedInArgosyError, Status.UNIMPLEMENTED),
    (UnauthorizedError, Status.UNAUTHENTICATED),
    (UnavailableError, Status.UNAVAILABLE),
)


class Service:
    """Methods of gRPC services, as grpclib wants them."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def unary(self, path: str, request: str, reply: str, answer: Answer) -> None:
        """``answer`` returns the one reply."""

        async def call(stream: Any) -> None:
            with _told():
                await stream.send_message(await answer(await _asked(stream), stream.metadata))

        self._methods[path] = Method(call, Cardinality.UNARY_UNARY, getattr(messages, request), getattr(messages, reply))

    def streaming(self, path: str, request: str, reply: str, answer: Answer) -> None:
        """``answer`` yields replies."""

        async def call(stream: Any) -> None:
            with _told():
                asked = await _asked(stream)
                await stream.send_initial_metadata()
                async with contextlib.aclosing(answer(asked, stream.metadata)) as replies:
                    async for reply in replies:
                        await stream.send_message(reply)

        self._methods[path] = Method(call, Cardinality.UNARY_STREAM, getattr(messages, request), getattr(messages, reply))

    def __mapping__(self) -> dict[str, Method]:
        return self._methods


async def _asked(stream: Any) -> Any:
    """Return the one message of the client. Raises GRPCError when it sends none."""
    _bound(stream._stream)
    message = await stream.recv_message()
    if message is None:
        raise GRPCError(Status.INVALID_ARGUMENT, "the request has no message")
    return message


def _bound(stream: Any) -> None:
    """Refuse messages above `LARGEST`: grpclib gathers whatever length the other side writes in front of one."""
    read = stream.recv_data

    async def recv_data(size: int) -> bytes:
        if size > LARGEST:
            raise GRPCError(Status.RESOURCE_EXHAUSTED, f"received message larger than max ({size} vs. {LARGEST})")
        return cast(bytes, await read(size))

    stream.recv_data = recv_data


class _Codec(ProtoCodec):
    """What is no message is the other side's fault, not ours."""

    def decode(self, data: bytes, message_type: Any) -> Any:
        try:
            return super().decode(data, message_type)
        except DecodeError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, f"cannot read the message: {error}") from error


@contextlib.contextmanager
def _told() -> Any:
    """What goes wrong is told by kind."""
    try:
        yield
    except ArgosyError as error:
        status = next((status for kind, status in _KINDS if isinstance(error, kind)), Status.UNKNOWN)
        raise GRPCError(status, str(error)) from error


def serve(transport: asyncio.Transport, early: bytes, service: Service) -> None:
    """Answer the client at the other end until it leaves. ``early``: what it sent already."""
    _attach(grpclib.server.Server([service], codec=_Codec())._protocol_factory(), transport, early)


def _attach(protocol: H2Protocol, transport: asyncio.Transport, early: bytes) -> None:
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if early:
        protocol.data_received(early)
    transport.resume_reading()


class _Watched(grpclib.client.Handler):
    """Tells of the end of the connection."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def close(self) -> None:
        super().close()
        self._gone()


class Caller(grpclib.client.Channel):
    """We are the client of the process at the other end; ``gone`` is called when it leaves."""

    def __init__(self, transport: asyncio.Transport, early: bytes, gone: Callable[[], None]) -> None:
        super().__init__(codec=_Codec())
        self._only: H2Protocol | None = H2Protocol(_Watched(gone), self._config, self._h2_config)
        _attach(self._only, transport, early)

    def leave(self) -> None:
        """The connection is gone: nobody need close it."""
        self._protocol = self._only = None

    async def _create_connection(self) -> H2Protocol:
        only, self._only = self._only, None
        if only is None:
            raise UnavailableError("the client's session has ended")
        return only

    async def ask(self, path: str, request: Any, reply: str, *, timeout: float = 60) -> Any:
        """Return the reply to one request. Raises GRPCError with the other's status, UnavailableError when it leaves."""
        with _reached():
            async with self.request(path, Cardinality.UNARY_UNARY, type(request), getattr(messages, reply), timeout=timeout) as stream:
                await stream.send_message(request, end=True)
                _bound(stream._stream)
                return await stream.recv_message()

    @contextlib.asynccontextmanager
    async def conversation(self, path: str, kind: str, metadata: Metadata) -> AsyncIterator[Any]:
        """Open a stream of messages both ways. Raises UnavailableError when the other leaves."""
        message = getattr(messages, kind)
        with _reached():
            async with self.request(path, Cardinality.STREAM_STREAM, message, message, metadata=metadata) as stream:
                await stream.send_request()
                _bound(stream._stream)
                yield stream


@contextlib.contextmanager
def _reached() -> Any:
    try:
        yield
    except (StreamTerminatedError, ProtocolError, ConnectionError) as error:
        raise UnavailableError("the client's session has ended") from error
