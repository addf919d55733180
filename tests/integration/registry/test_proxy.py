"""Pull-through of another registry."""

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from argosy.registry.proxy.challenge import Challenge, parse, token_url
from support.registry import Client, Server, digest_of

Start = Callable[..., Server]
SECRET = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
DATA = bytes(range(256)) * 40_000


def cache_of(serve: Start, tmp_path: Path, behind: Server, *flags: str) -> Server:
    return serve("--proxy", f"http://{behind.address}", *flags, root=tmp_path / "cache")


def fetched(client: Client) -> int:
    text = client.get("/metrics").body.decode()
    return int(text.split("\nargosy_registry_proxy_fetched_bytes_total ")[1].split()[0])


def test_what_is_pulled_is_kept(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    image = behind.client().push_image("team/app", "v1", layers=2)
    client = cache_of(serve, tmp_path, behind).client()
    for _ in range(2):
        for reference in ("v1", image.digest):
            assert client.manifest("team/app", reference).expect(200).body == image.manifest
        for blob in image.blobs:
            digest = digest_of(blob)
            assert client.request("HEAD", f"/v2/team/app/blobs/{digest}").expect(200).headers["Content-Length"] == str(len(blob))
            assert client.get(f"/v2/team/app/blobs/{digest}").expect(200).body == blob
    assert fetched(client) == sum(map(len, image.blobs))
    behind.stop()
    for blob in image.blobs:
        assert client.get(f"/v2/team/app/blobs/{digest_of(blob)}").expect(200).body == blob


def test_what_is_not_there_is_not_found(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    behind.client().push_image("team/app", "v1")
    client = cache_of(serve, tmp_path, behind).client()
    assert client.manifest("team/app", "v2").expect(404).code == "MANIFEST_UNKNOWN"
    assert client.get(f"/v2/team/app/blobs/{digest_of(b'nothing')}").expect(404).code == "BLOB_UNKNOWN"


def test_a_tag_is_asked_for_again_when_it_is_old(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    behind.client().push_image("team/app", "v1", seed="old")
    young = cache_of(serve, tmp_path, behind, "--proxy-ttl", "1h")
    old = young.client().manifest("team/app", "v1").body
    new = behind.client().push_image("team/app", "v1", seed="new").manifest
    assert young.client().manifest("team/app", "v1").body == old
    young.stop()
    strict = cache_of(serve, tmp_path, behind, "--proxy-ttl", "0s")
    for _ in range(2):
        assert strict.client().manifest("team/app", "v1").body == new
    behind.client().request("DELETE", "/v2/team/app/manifests/v1").expect(202)
    strict.client().manifest("team/app", "v1").expect(404)


def test_what_is_there_is_served_while_the_other_side_is_down(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    image = behind.client().push_image("team/app", "v1")
    client = cache_of(serve, tmp_path, behind, "--proxy-ttl", "0s").client()
    client.manifest("team/app", "v1").expect(200)
    behind.stop()
    reply = client.manifest("team/app", "v1").expect(200)
    assert reply.body == image.manifest and reply.headers["Warning"].startswith("110")
    assert client.manifest("team/app", "never").expect(503).code == "UNAVAILABLE"


def test_a_cache_cannot_be_pushed_to(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    image = behind.client().push_image("team/app", "v1")
    client = cache_of(serve, tmp_path, behind).client()
    assert client.begin("team/app").expect(405).code == "UNSUPPORTED"
    client.put_manifest("team/app", "v2", image.manifest).expect(405)
    client.request("DELETE", "/v2/team/app/manifests/v1").expect(405)


def test_credentials_are_given_by_password_and_by_token(serve: Start, tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"ann:{SECRET}\n")
    (tmp_path / "password").write_text("secret\n")
    for number, flags in enumerate(([], ["--anonymous-pull"])):
        behind = serve("--htpasswd", str(tmp_path / "users"), *flags, root=tmp_path / f"behind{number}")
        image = behind.client(user="ann", password="secret").push_image("team/app", "v1")
        known = ["--proxy-user", "ann", "--proxy-password-file", str(tmp_path / "password")]
        cache = serve("--proxy", f"http://{behind.address}", *known, root=tmp_path / f"cache{number}")
        for reference in ("v1", image.digest):
            assert cache.client().manifest("team/app", reference).expect(200).body == image.manifest
        stranger = serve("--proxy", f"http://{behind.address}", root=tmp_path / f"stranger{number}")
        stranger.client().manifest("team/app", "v1").expect(200 if flags else 503)


def test_many_who_want_a_blob_cause_one_fetch(serve: Start, tmp_path: Path) -> None:
    behind = serve()
    digest = behind.client().push_blob("team/app", DATA)
    client = cache_of(serve, tmp_path, behind).client()
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(client.get(f"/v2/team/app/blobs/{digest}").body)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [DATA] * 6
    assert fetched(client) == len(DATA)


class Lying:
    """Something behind that cuts its answers off, or sends what was not asked for."""

    def __init__(self, *, wrong: bool) -> None:
        self._wrong = wrong
        self.ranges: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        wanted = next((line.split("=")[1] for line in head.splitlines() if line.lower().startswith("range:")), "")
        offset = int(wanted.split("-")[0] or 0) if wanted else 0
        data = (DATA[:-1] + b"!" if self._wrong else DATA)[offset:]
        writer.write(f"HTTP/1.1 {206 if offset else 200} OK\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        if head.startswith("GET"):
            self.ranges.append(wanted)
            writer.write(data if self._wrong or len(self.ranges) > 1 else data[: len(data) // 2])
            await writer.drain()
        writer.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.close()


def test_an_answer_that_was_cut_off_is_gone_on_with(serve: Start, tmp_path: Path) -> None:
    behind = Lying(wrong=False)
    try:
        client = serve("--proxy", f"http://{behind.address}").client()
        assert client.get(f"/v2/team/app/blobs/{digest_of(DATA)}").expect(200).body == DATA
        whole, rest = behind.ranges
        assert whole == "" and 0 < int(rest.rstrip("-")) <= len(DATA) // 2
    finally:
        behind.stop()


def test_wrong_content_is_never_given_whole_nor_kept(serve: Start, tmp_path: Path) -> None:
    behind = Lying(wrong=True)
    try:
        server = serve("--proxy", f"http://{behind.address}")
        host, port = server.address.split(":")
        with socket.create_connection((host, int(port))) as wire:
            wire.sendall(f"GET /v2/team/app/blobs/{digest_of(DATA)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            received = bytearray()
            while piece := wire.recv(1 << 16):
                received += piece
        body = received.partition(b"\r\n\r\n")[2]
        assert 0 < len(body) < len(DATA)
        assert not list((tmp_path / "root").glob("blobs/*/*/*"))
    finally:
        behind.stop()


def test_challenges() -> None:
    bearer = parse('Bearer realm="https://auth.example/t?x=1",service="reg",scope="repository:a:pull"')
    assert bearer and bearer.parameters["service"] == "reg"
    assert token_url(bearer, "team/app", "ann") == "https://auth.example/t?x=1&service=reg&scope=repository%3Ateam%2Fapp%3Apull&account=ann"
    assert parse("Basic realm=plain") == Challenge("basic", {"realm": "plain"})
    assert parse("Negotiate") is None and parse("") is None
    assert token_url(Challenge("bearer", {"realm": "file:///etc/passwd"}), "a", "") is None
