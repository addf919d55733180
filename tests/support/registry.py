"""Registries of a test's own: ours, or Debian's docker-registry to prove a test on; and a small client that hides nothing."""

import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPT = ", ".join((OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, "application/vnd.docker.distribution.manifest.list.v2+json"))
_ADDRESS = re.compile(r"registry listens on (https?)://(\S+)")
_START_SECONDS = 30.0


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


class Server:
    """An argosy-registry process on a free port of the loopback; ``netns`` names the network namespace whose loopback that is."""

    def __init__(self, root: Path, *flags: str, environ: Mapping[str, str] | None = None, port: int = 0, netns: str = "") -> None:
        self.root = root
        self.log = root.parent / f"{root.name}.log"
        enter = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
        command = [*enter, sys.executable, "-m", "argosy.registry", "serve", "--root", str(root), "--log-level", "info"]
        if "--listen" not in flags:
            command += ["--listen", f"127.0.0.1:{port}"]
        with self.log.open("ab") as log:
            start = log.tell()
            self.process = subprocess.Popen([*command, *flags], stdout=log, stderr=log, env={**os.environ, **(environ or {})})
        self.scheme, self.address = self._wait(start)

    def _wait(self, start: int) -> tuple[str, str]:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            text = self.log.read_bytes()[start:].decode()
            if found := _ADDRESS.search(text):
                return found[1], found[2]
            assert self.process.poll() is None, f"the registry did not start: {text}"
            time.sleep(0.02)
        raise AssertionError(f"the registry does not listen: {text}")

    def client(self, **options: Any) -> "Client":
        return Client(self.address, **options)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


class DockerRegistry:
    """Debian's docker-registry (package docker-registry), for proving tests and for comparison."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.json"
        settings = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
            "http": {"addr": self.address},
        }
        config.write_text(json.dumps(settings))
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen([docker_registry() or "docker-registry", "serve", str(config)], stdout=self.log, stderr=self.log)
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, "docker-registry did not start"
                time.sleep(0.05)

    def client(self, **options: Any) -> "Client":
        return Client(self.address, **options)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def docker_registry() -> str | None:
    return shutil.which("docker-registry")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(self.json()["errors"][0]["code"])

    def expect(self, *statuses: int) -> "Reply":
        assert self.status in statuses, f"{self.status} {self.body[:500]!r}"
        return self

    @property
    def location(self) -> str:
        """Path and query of Location, which may be absolute."""
        text = self.headers["Location"]
        return "/" + text.split("/", 3)[3] if text.startswith("http") else text


class Client:
    """One connection a request: nothing is kept from one to the next."""

    def __init__(self, address: str, *, user: str = "", password: str = "", token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        self._tls = tls
        self._headers: dict[str, str] = {}
        if user:
            import base64

            self._headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def connect(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self.address, timeout=30, context=self._tls)
        return http.client.HTTPConnection(self.address, timeout=30)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send; keywords are headers with ``_`` for ``-``."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers={**self._headers, **named}, encode_chunked="Transfer-Encoding" in named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, Accept=ACCEPT, **headers)

    def begin(self, name: str, query: str = "") -> Reply:
        return self.request("POST", f"/v2/{name}/blobs/uploads/{query}", body=b"")

    def push_blob(self, name: str, data: bytes, algorithm: str = "sha256") -> str:
        digest = digest_of(data, algorithm)
        location = self.begin(name).expect(202).location
        self.request("PUT", with_query(location, f"digest={digest}"), body=data, Content_Type="application/octet-stream").expect(201)
        return digest

    def push_image(self, name: str, *tags: str, seed: str = "", **more: Any) -> "Image":
        """Push a small image and return it."""
        image = small_image(seed, **more)
        for data in image.blobs:
            self.push_blob(name, data)
        for reference in tags or (image.digest,):
            self.put_manifest(name, reference, image.manifest).expect(201)
        return image

    def put_manifest(self, name: str, reference: str, data: bytes, media_type: str = OCI_MANIFEST) -> Reply:
        return self.request("PUT", f"/v2/{name}/manifests/{reference}", body=data, Content_Type=media_type)

    def manifest(self, name: str, reference: str, method: str = "GET") -> Reply:
        return self.request(method, f"/v2/{name}/manifests/{reference}", Accept=ACCEPT)


def with_query(location: str, query: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}{query}"


@dataclass(frozen=True)
class Image:
    manifest: bytes
    blobs: Sequence[bytes]

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": json.loads(self.manifest)["mediaType"], "digest": self.digest, "size": len(self.manifest)}


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def small_image(seed: str = "", *, layers: int = 1, **more: Any) -> Image:
    """Return an image whose content depends on the seed; ``more`` are further keys of its manifest."""
    blobs = [f"layer {number} of {seed}".encode() * 10 for number in range(layers)]
    config = json.dumps({"architecture": "amd64", "os": "linux", "seed": seed, "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(OCI_LAYER, blob) for blob in blobs],
        **more,
    }
    return Image(json.dumps(manifest).encode(), [config, *blobs])


def index_of(*images: Image, **more: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [image.descriptor for image in images], **more}).encode()
