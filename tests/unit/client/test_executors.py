"""Both executors against a scripted daemon: the same cases, since they must behave the same."""

import asyncio
import io
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from argosy.client import containers, images, system
from argosy.client.aio import AsyncClient
from argosy.client.endpoint import Endpoint
from argosy.client.errors import ApiError, ConnectionFailedError, ProtocolError, StreamedError
from argosy.client.sync import Client

OLD = b'{"message":"client version 1.55 is too new. Maximum supported API version is 1.41"}'


def reply(body: bytes, status: str = "200 OK", version: str = "1.55") -> bytes:
    return f"HTTP/1.1 {status}\r\nApi-Version: {version}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Blocking:
    """The blocking client behind an asyncio face."""

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        self.client = Client(endpoint, **options)

    async def call(self, call: Any) -> Any:
        return await asyncio.to_thread(self.client.call, call)

    async def items(self, stream: Any) -> list[Any]:
        return await asyncio.to_thread(lambda: list(self.client.stream(stream)))

    async def close(self) -> None:
        self.client.close()


class Asynchronous:
    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        self.client = AsyncClient(endpoint, **options)

    async def call(self, call: Any) -> Any:
        return await self.client.call(call)

    async def items(self, stream: Any) -> list[Any]:
        return [item async for item in self.client.stream(stream)]

    async def close(self) -> None:
        await self.client.close()


@pytest.fixture(params=[Blocking, Asynchronous])
def executor(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return request.param  # type: ignore[no-any-return]


async def closing(client: Any, work: Awaitable[Any]) -> Any:
    try:
        return await work
    finally:
        await client.close()


async def test_a_call_returns_the_decoded_answer_and_the_connection_is_used_again(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(b'[{"Id":"a"}]')
    client = executor(daemon.endpoint)
    assert await client.call(containers.list_(all_=True)) == [{"Id": "a"}]
    assert await closing(client, client.call(containers.list_())) == [{"Id": "a"}]
    assert daemon.targets == ["/v1.55/containers/json?all=1", "/v1.55/containers/json"]
    assert daemon.connections == 1


async def test_an_older_daemon_is_spoken_to_in_its_version(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda request: reply(OLD, "400 Bad Request", "1.41") if b"/v1.55/" in request else reply(b"[]", version="1.41")
    client = executor(daemon.endpoint)
    await client.call(containers.list_())
    await closing(client, client.call(containers.list_()))
    assert daemon.targets == ["/v1.55/containers/json", "/v1.41/containers/json", "/v1.41/containers/json"]


async def test_a_body_that_cannot_be_sent_twice_is_preceded_by_a_ping(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda request: reply(b"" if b"_ping" in request else b'{"stream":"ok"}\n', version="1.41")
    client = executor(daemon.endpoint)
    assert await closing(client, client.items(images.load(io.BytesIO(b"tar")))) == [{"stream": "ok"}]
    assert daemon.targets == ["/_ping", "/v1.41/images/load?quiet=0"]
    assert b"3\r\ntar\r\n0\r\n" in daemon.requests[1]


async def test_a_fixed_version_is_not_negotiated(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(OLD, "400 Bad Request", "1.41")
    client = executor(daemon.endpoint, api_version="1.50")
    with pytest.raises(ApiError) as caught:
        await closing(client, client.call(containers.list_()))
    assert caught.value.status == 400
    assert len(daemon.requests) == 1


async def test_a_refusal_carries_the_daemons_words(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(b'{"message":"No such container: x"}\n', "404 Not Found")
    client = executor(daemon.endpoint)
    with pytest.raises(ApiError, match="No such container: x") as caught:
        await closing(client, client.call(containers.inspect("x")))
    assert caught.value.status == 404


async def test_a_refusal_without_a_message_shows_what_there_is(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(b"", "502 Bad Gateway")
    client = executor(daemon.endpoint)
    with pytest.raises(ApiError, match="request returned 502 Bad Gateway"):
        await closing(client, client.call(system.info()))


async def test_an_error_inside_a_stream_is_raised(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(b'{"status":"a"}\r\n{"errorDetail":{"message":"no space"},"error":"no space"}\r\n')
    client = executor(daemon.endpoint)
    with pytest.raises(StreamedError, match="no space"):
        await closing(client, client.items(images.pull("x")))


async def test_no_daemon_is_a_clear_error(tmp_path: Any, executor: Any) -> None:
    client = executor(Endpoint(f"unix://{tmp_path}/none.sock"))
    with pytest.raises(ConnectionFailedError, match="Is the argosy daemon running"):
        await closing(client, client.call(system.info()))


async def test_a_daemon_that_goes_away_is_a_clear_error(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: None
    client = executor(daemon.endpoint)
    with pytest.raises(ProtocolError, match="without an answer"):
        await closing(client, client.call(system.info()))


async def test_an_idle_connection_that_was_closed_is_replaced_for_reads_only(daemon: Any, executor: Any) -> None:
    daemon.answer = lambda _request: reply(b"[]")
    client = executor(daemon.endpoint)
    await client.call(containers.list_())
    answers = iter([None, reply(b"[]")])
    daemon.answer = lambda _request: next(answers)
    assert await client.call(containers.list_()) == []
    answers = iter([None, reply(b"")])
    with pytest.raises(ProtocolError):
        await closing(client, client.call(containers.start("x")))


class Talkative:
    """A daemon that reports more than a socket holds before it has read the body."""

    def __init__(self, path: Path, answer: bytes) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._answer = answer
        self.read = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener, suppress(OSError):
            data = connection.recv(1 << 16)
            self.read = len(data)
            connection.sendall(self._answer)
            while not data.endswith(b"\r\n0\r\n\r\n"):
                piece = connection.recv(1 << 16)
                if not piece:
                    return
                self.read += len(piece)
                data = data[-64:] + piece
            connection.shutdown(socket.SHUT_WR)


async def test_progress_that_comes_during_an_upload_blocks_neither_side(tmp_path: Path, executor: Any) -> None:
    lines = b'{"status":"x"}\n' * 200_000
    daemon = Talkative(tmp_path / "d", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(lines) + lines)
    client = executor(Endpoint(f"unix://{tmp_path}/d"), api_version="1.50")
    items = await closing(client, client.items(images.load(io.BytesIO(bytes(4 << 20)))))
    assert len(items) == 200_000
    assert daemon.read >= 4 << 20


async def test_a_refusal_during_an_upload_is_told(tmp_path: Path, executor: Any) -> None:
    body = b'{"message":"no space left on device"}'
    Talkative(tmp_path / "d", b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client = executor(Endpoint(f"unix://{tmp_path}/d"), api_version="1.50")
    with pytest.raises(ApiError, match="no space left"):
        await closing(client, client.items(images.load(io.BytesIO(bytes(4 << 20)))))


def test_a_hijacked_connection_belongs_to_the_caller(daemon: Any) -> None:
    upgrade = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\n\r\nearly"
    daemon.answer = lambda _request: upgrade
    client = Client(daemon.endpoint)
    channel = client.hijack(containers.attach("x", stdin=True))
    assert channel.multiplexed
    got = channel.early
    channel.socket.sendall(b"hi")
    while b"echo:hi" not in got:
        got += channel.socket.recv(100)
    assert got == b"earlyecho:hi"
    channel.close()
    client.close()


async def test_a_hijacked_connection_for_asyncio_half_closes(daemon: Any) -> None:
    daemon.answer = lambda _request: b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n"
    client = AsyncClient(daemon.endpoint)
    channel = await client.hijack(containers.attach("x", stdin=True))
    await channel.write(b"hi")
    got = b""
    while b"echo:hi" not in got:
        got += await channel.read()
    channel.write_eof()
    while piece := await channel.read():
        got += piece
    assert got == b"echo:hibye"
    await channel.close()
    await client.close()
