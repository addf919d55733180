"""One client connection: aiohttp's parser and keep-alive; answers are written to the transport as they are."""

import asyncio
from typing import Any

from aiohttp.web_protocol import RequestHandler

from argosy.registry.errors import RegistryError


class Connection(RequestHandler):
    __slots__ = ()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Raises ConnectionError when the client has left."""
        self.wire.write(data)

    @property
    def wire(self) -> asyncio.Transport:
        """The transport. Raises ConnectionError when the client has left."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        assert isinstance(transport, asyncio.Transport)
        return transport

    async def drained(self) -> None:
        """Wait while the client is slow. Raises ConnectionError when it leaves."""
        if self._paused:
            await self._drain_helper()

    def handle_error(self, request: Any, status: int = 500, exc: BaseException | None = None, message: str | None = None) -> Any:
        """What aiohttp answers to a message that is no HTTP; a client that tries TLS on a plain port is no error of ours."""
        from argosy.registry.http.answer import JSON, Answer

        words = "the message is no HTTP request; this port does not speak TLS" if status == 400 else ""
        answer = Answer(status, RegistryError("UNKNOWN", words).body(), {"Content-Type": JSON})
        answer.keep_alive = False
        return answer

    @property
    def closing(self) -> bool:
        return bool(self._close)
