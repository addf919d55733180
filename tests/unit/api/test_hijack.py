"""Connections that leave HTTP: attach and exec, with early bytes, half-close, old clients, TLS and websockets."""

import asyncio
import gc
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from fakes.engine import ID
from fakes.server import Api, Client
from fakes.tls import Tls, listening_with_tls

ATTACH = "/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1"
EXEC = "/exec/" + "f1" * 32 + "/start"
UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}
JSON = {"Content-Type": "application/json"}


async def _talk(client: Client) -> bytes:
    """Say something, close the sending half, and return all that comes back."""
    client.writer.write(b"more")
    await client.writer.drain()
    client.writer.write_eof()
    return await asyncio.wait_for(client.reader.read(), 10)


async def test_attach_upgrades_and_hands_the_socket_over(api: Api) -> None:
    client = await api.connect()
    client.send("POST", ATTACH, headers=UPGRADE)
    status, headers = await client.head()
    assert (status, headers["upgrade"], headers["connection"]) == (101, "tcp", "Upgrade")
    assert headers["content-type"] == "application/vnd.docker.multiplexed-stream"
    assert await _talk(client) == b"hello\nMORE<end>"
    (call,) = api.containers.calls
    assert (call[2].stdin, call[2].stdout, call[2].multiplexed, call[3]) == (True, True, True, True)


async def test_an_old_client_gets_a_200_without_an_end(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/v1.41" + ATTACH)
    status, headers = await client.head()
    assert (status, headers["content-type"]) == (200, "application/vnd.docker.raw-stream")
    assert "content-length" not in headers
    assert "transfer-encoding" not in headers
    assert await _talk(client) == b"hello\nMORE<end>"


@pytest.mark.parametrize("upgrade", [UPGRADE, {}], ids=["upgrade", "plain"])
async def test_bytes_sent_before_the_answer_reach_the_program(api: Api, upgrade: dict[str, str]) -> None:
    client = await api.connect()
    client.send("POST", EXEC, b'{"Tty":false}', upgrade | JSON, extra=b"GET / early\r\n\r\n")
    await client.head()
    assert await _talk(client) == b"GET / EARLY\r\n\r\nMORE<end>"


async def test_a_client_that_sends_all_at_once_and_half_closes_loses_nothing(api: Api) -> None:
    client = await api.connect()
    client.send("POST", EXEC, b"{}", UPGRADE | JSON, extra=b"all of it")
    client.writer.write_eof()
    await client.head()
    assert await client.reader.read() == b"ALL OF IT<end>"


async def test_a_body_that_comes_in_pieces_is_put_together(api: Api) -> None:
    client = await api.connect()
    head = f"POST {EXEC} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n".encode()
    for piece in (head[:7], head[7:], b'{"Tty"', b":true}input"):
        client.writer.write(piece)
        await client.writer.drain()
        await asyncio.sleep(0.01)
    await client.head()
    assert await _talk(client) == b"INPUTMORE<end>"
    assert api.execs.calls == [("start", "f1" * 32, False, True, None)]


async def test_much_early_input_is_held_back_and_kept(api: Api) -> None:
    client = await api.connect()
    early = b"x" * 3_000_000

    async def send() -> None:
        client.send("POST", EXEC, b"{}", UPGRADE | JSON)
        for start in range(0, len(early), 65536):
            client.writer.write(early[start : start + 65536])
            await client.writer.drain()
        client.writer.write_eof()

    sending = asyncio.ensure_future(send())
    await client.head()
    received = await client.reader.read()
    await sending
    assert received == early.upper() + b"<end>"


async def test_a_detached_exec_is_an_ordinary_answer(api: Api) -> None:
    client = await api.connect()
    client.send("POST", EXEC, b'{"Detach":true}', UPGRADE | JSON)
    assert (await client.reply()).status == 200
    client.send("GET", "/_ping")
    assert (await client.reply()).body == b"OK"
    await client.close()


async def test_a_hijack_behind_another_request_waits_its_turn(api: Api) -> None:
    client = await api.connect()
    client.send("GET", "/_ping")
    client.send("POST", EXEC, b"{}", UPGRADE | JSON, extra=b"early")
    assert (await client.reply()).body == b"OK"
    status, _ = await client.head()
    assert status == 101
    assert await _talk(client) == b"EARLYMORE<end>"


async def test_a_refused_attach_leaves_the_connection_usable(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/containers/nope/attach?stream=1", headers=UPGRADE)
    reply = await client.reply()
    assert (reply.status, reply.message) == (404, "No such container: nope")
    client.send("GET", "/_ping")
    assert (await client.reply()).body == b"OK"
    await client.close()


async def test_input_behind_a_refused_attach_is_not_taken_for_a_request(api: Api) -> None:
    client = await api.connect()
    client.send("POST", "/containers/nope/attach?stream=1", extra=b"DELETE /containers/web HTTP/1.1\r\nHost: d\r\n\r\n")
    reply = await client.reply()
    assert (reply.status, reply.headers["connection"]) == (404, "close")
    assert await client.reader.read() == b""
    assert api.containers.calls == []


async def test_the_daemon_forgets_a_handed_over_connection(api: Api) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        client = await api.connect()
        client.send("POST", ATTACH, headers=UPGRADE)
        await client.head()
        await _talk(client)
        await client.close()
    assert api.server._http is not None
    async with asyncio.timeout(10):
        while api.server._http.connections or len(os.listdir("/proc/self/fd")) > before + 1:
            gc.collect()
            await asyncio.sleep(0.01)


async def test_closing_the_server_leaves_a_handed_over_connection_alone(api: Api) -> None:
    client = await api.connect()
    taken: asyncio.Queue[int] = asyncio.Queue()

    async def attach(ref: str, request: object, connection: object, **options: bool) -> None:
        fd, _ = await connection.take(multiplexed=True)  # type: ignore[attr-defined]
        await taken.put(fd)
        await asyncio.Event().wait()

    api.containers.attach = attach  # type: ignore[assignment,method-assign]
    client.send("POST", ATTACH, headers=UPGRADE)
    await client.head()
    fd = await taken.get()
    await asyncio.wait_for(api.server.close(grace=30), 5)
    os.set_blocking(fd, True)
    os.write(fd, b"still here")
    assert await client.reader.readexactly(10) == b"still here"
    os.close(fd)
    assert await client.reader.read() == b""


# ------------------------------------------------------------------ websockets


async def test_attach_by_websocket(api: Api) -> None:
    url = f"http://docker/v1.44/containers/{ID}/attach/ws?stream=1&stdin=1&stdout=1"
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(api.path)) as session, session.ws_connect(url) as websocket:
        assert await websocket.receive_bytes() == b"hello\n"
        await websocket.send_bytes(b"abc")
        assert await websocket.receive_bytes() == b"ABC"
        await websocket.send_str("text")
        assert await websocket.receive_bytes() == b"TEXT"
    (call,) = api.containers.calls
    assert (call[2].stdin, call[2].stderr, call[2].multiplexed) == (True, False, False)


async def test_attach_ws_without_a_handshake_is_refused(api: Api) -> None:
    reply = await api.ask("GET", "/containers/web/attach/ws")
    assert reply.status == 400


# ------------------------------------------------------------------ TLS


@pytest_asyncio.fixture
async def tls(api: Api, tmp_path: Path) -> AsyncIterator[Tls]:
    yield await listening_with_tls(api, tmp_path)


async def _secure(tls: Tls, context: ssl.SSLContext) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", tls.port, ssl=context))


async def test_a_client_with_a_certificate_is_served_over_tls(tls: Tls) -> None:
    client = await _secure(tls, tls.client)
    for _ in range(3):
        client.send("GET", "/containers/web/export")
        assert len((await client.reply()).body) == 300_003
    await client.close()


async def test_a_large_upload_over_tls_arrives_whole(api: Api, tls: Tls) -> None:
    client = await _secure(tls, tls.client)
    client.send("PUT", "/containers/web/archive?path=/", b"0123456789" * 500_000)
    assert (await client.reply()).status == 200
    assert api.containers.received == b"0123456789" * 500_000
    await client.close()


async def test_a_stranger_is_not_served(tls: Tls) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        client = await _secure(tls, tls.stranger)
        client.send("GET", "/_ping")
        await client.reply()


def _half_closing_exec(tls: Tls) -> bytes:
    """Speak TLS by hand, because asyncio's client cannot half-close: send input, ``close_notify``, then read on."""
    import socket

    with socket.create_connection(("127.0.0.1", tls.port), timeout=10) as raw:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        talk = tls.client.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")

        def step(act: object) -> object:
            while True:
                try:
                    result = act()  # type: ignore[operator]
                    raw.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    data = raw.recv(65536)
                    if not data:
                        incoming.write_eof()
                    incoming.write(data)

        step(talk.do_handshake)
        request = f"POST {EXEC} HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 2\r\n"
        step(lambda: talk.write(request.encode() + b"Content-Type: application/json\r\n\r\n{}"))
        received = b""
        while b"\r\n\r\n" not in received:
            received += step(lambda: talk.read(65536))  # type: ignore[operator]
        step(lambda: talk.write(b"input"))
        try:
            talk.unwrap()
        except ssl.SSLError:
            pass
        raw.sendall(outgoing.read())
        # OpenSSL reads no more after its own close_notify was answered, so look at what still arrives in clear length.
        rest = b""
        while data := raw.recv(65536):
            rest += data
        return received + rest


async def test_output_after_the_clients_close_notify_is_still_sent(api: Api, tls: Tls) -> None:
    received = await asyncio.get_running_loop().run_in_executor(None, _half_closing_exec, tls)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    # "INPUT<end>" as records, and the server's own close_notify.
    assert len(rest) >= len(b"INPUT<end>") + 2 * 22
