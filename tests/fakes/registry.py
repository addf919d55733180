"""A registry that does what it is told, and breaks where it is told: plain or TLS, under any host names, in threads of its own.

``python -m fakes.registry PORT FILE`` serves what `Registry.dump` wrote, for a daemon in another network namespace.
"""

import base64
import gzip
import hashlib
import io
import json
import pickle
import random
import re
import ssl
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
PLAIN = "application/vnd.oci.image.layer.v1.tar"
_PIECE = 1 << 16


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of plain files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def layer(name: str, size: int = 1000, kind: str = GZIP) -> tuple[bytes, bytes, str]:
    """Return (tar, blob, media type) of one file of bytes that do not compress."""
    plain = tar_of({name: random.Random(name).randbytes(size)})
    if kind == GZIP:
        return plain, gzip.compress(plain, 1, mtime=0), kind
    if kind == ZSTD:
        import zstandard

        return plain, zstandard.compress(plain), kind
    return plain, plain, kind


class Registry:
    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, dict[str, tuple[str, bytes]]] = {}
        """By repository, then by tag and by digest: media type and bytes."""
        self.holds: dict[str, set[str]] = {}
        """Digests of the blobs of each repository."""
        self.users: dict[str, str] = {}
        self.realm = ""
        """URL of the token server, which this is too; empty: basic authentication if there are users."""
        self.public: set[str] = set()
        """Repositories that may be pulled anonymously."""
        self.breaks: dict[str, list[int]] = {}
        """Offsets at which connections with a blob are cut, one a request."""
        self.statuses: dict[str, list[int]] = {}
        """Statuses to answer with, one a request, by what the path ends in."""
        self.headers: dict[str, str] = {}
        """Sent with refusals."""
        self.ranges = True
        self.mounts = True
        self.slow = 0.0
        """Seconds for each piece of 64 KiB of a blob."""
        self.gate: threading.Event | None = None
        """Blobs of more than one piece wait for it after each."""
        self.elsewhere = ""
        """URL that blobs are redirected to."""
        self.found: list[dict[str, Any]] = []
        """What a search finds."""
        self.served: Counter[str] = Counter()
        """Bytes of each blob that were sent."""
        self.begins: dict[str, list[int]] = {}
        """Offset from which each request wanted a blob."""
        self.asked: list[tuple[str, str]] = []
        """Method and path of each request."""
        self.authorizations: list[str] = []
        self.uploads: dict[str, bytearray] = {}
        self.expired: set[str] = set()
        """Tokens that are not good any more."""
        self.issued = 0
        self.port = 0
        self.lock = threading.Lock()

    # ------------------------------------------------------------ content

    def add_blob(self, repository: str, data: bytes) -> str:
        digest = digest_of(data)
        self.blobs[digest] = data
        self.holds.setdefault(repository, set()).add(digest)
        return digest

    def add_manifest(self, repository: str, tag: str, manifest: Mapping[str, Any] | bytes, media_type: str = "") -> str:
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        kind = media_type or json.loads(data)["mediaType"]
        digest = digest_of(data)
        held = self.manifests.setdefault(repository, {})
        held[digest] = (kind, data)
        if tag:
            held[tag] = (kind, data)
        return digest

    def add_image(
        self,
        repository: str,
        tag: str,
        layers: list[tuple[bytes, bytes, str]],
        *,
        architecture: str = "amd64",
        variant: str = "",
        **config: Any,
    ) -> str:
        """Add an image of (plain tar, blob, media type) each; return the manifest's digest."""
        document = {
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(plain) for plain, _, _ in layers]},
        }
        if variant:
            document["variant"] = variant
        data = json.dumps(document).encode()
        described = [{"mediaType": kind, "digest": self.add_blob(repository, blob), "size": len(blob)} for _, blob, kind in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": self.add_blob(repository, data), "size": len(data)},
            "layers": described,
        }
        return self.add_manifest(repository, tag, manifest)

    def described(self, repository: str, digest: str, **more: Any) -> dict[str, Any]:
        kind, data = self.manifests[repository][digest]
        return {"mediaType": kind, "digest": digest, "size": len(data), **more}

    def add_proof(self, repository: str, about: str, statement: bytes = b'{"predicate":{}}') -> dict[str, Any]:
        """Add an attestation of the image manifest ``about``; return its entry of an index."""
        annotations = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
        blob = {"mediaType": "application/vnd.in-toto+json", "digest": self.add_blob(repository, statement), "size": len(statement)}
        config = json.dumps({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers", "diff_ids": [blob["digest"]]}})
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": self.add_blob(repository, config.encode()), "size": len(config)},
            "layers": [{**blob, "annotations": annotations}],
        }
        return self.described(
            repository,
            self.add_manifest(repository, "", manifest),
            platform={"os": "unknown", "architecture": "unknown"},
            annotations={"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about},
        )

    def add_index(self, repository: str, tag: str, *entries: dict[str, Any]) -> str:
        """Add an index of such entries; return its digest."""
        return self.add_manifest(repository, tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)})

    def layout(self, repository: str, tag: str, name: str, *, without: Iterable[str] = ()) -> bytes:
        """Return an OCI layout in a tar of what a tag leads to, all blobs but those ``without``; ``name`` is its name there."""
        held = {digest: data for digest, (_, data) in self.manifests[repository].items() if digest.startswith("sha256:")}
        held |= {digest: self.blobs[digest] for digest in self.holds[repository]}
        root = self.described(repository, digest_of(self.manifests[repository][tag][1]))
        index = {"schemaVersion": 2, "manifests": [{**root, "annotations": {"io.containerd.image.name": name}}]}
        files = {f"blobs/{digest.replace(':', '/')}": data for digest, data in held.items() if digest not in set(without)}
        return tar_of({**files, "index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion":"1.0.0"}'})

    def dump(self, path: Path) -> None:
        path.write_bytes(pickle.dumps((self.blobs, self.manifests, self.holds, self.users)))

    # ------------------------------------------------------------ serving

    @contextmanager
    def serving(self, context: ssl.SSLContext | None = None, port: int = 0) -> Iterator["Registry"]:
        handler = type("Handler", (_Handler,), {"registry": self})
        server = _Server(("127.0.0.1", port), handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            if self.gate is not None:
                self.gate.set()
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def count(self, method: str, pattern: str) -> int:
        """Return how many requests there were whose path matches."""
        return sum(1 for done, path in self.asked if done == method and re.search(pattern, path))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave or distrust us are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    registry: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._route()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

    def _route(self) -> None:
        registry = self.registry
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.scopes = parse_qs(parts.query).get("scope", [])
        with registry.lock:
            registry.asked.append((self.command, self.path))
            registry.authorizations.append(self.headers.get("Authorization", ""))
            forced = next((codes for end, codes in registry.statuses.items() if codes and parts.path.endswith(end)), None)
            status = forced.pop(0) if forced else 0
        body = self._body()
        if status:
            self._refuse(status, "TOOMANYREQUESTS" if status == 429 else "UNKNOWN", "as told", registry.headers)
        elif parts.path == "/token":
            self._token(body)
        elif parts.path == "/v1/search":
            self._json(200, {"results": registry.found})
        elif self._authorized(parts.path):
            self._v2(parts.path, body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            found = bytearray()
            while size := int(self.rfile.readline().strip() or b"0", 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(found)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    # ------------------------------------------------------------ who may

    def _user(self) -> str | None:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, password = base64.b64decode(value).decode().partition(":")
            return name if self.registry.users.get(name) == password else None
        return ""

    def _token(self, body: bytes) -> None:
        registry = self.registry
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        user = self._user()
        if self.command == "POST":
            user = form.get("refresh_token", "").removeprefix("refresh-") or None
            self.scopes = form.get("scope", "").split()
        if user is None:
            self._json(401, {"details": "incorrect username or password"})
            return
        granted = [scope for scope in self.scopes if user or scope.split(":")[1] in registry.public]
        registry.issued += 1
        token = f"token-{registry.issued} {' '.join(granted)}"
        answer = {
            "access_token" if self.command == "POST" else "token": base64.urlsafe_b64encode(token.encode()).decode(),
            "expires_in": 300,
        }
        if self.query.get("offline_token"):
            answer["refresh_token"] = f"refresh-{user}"
        self._json(200, answer)

    def _authorized(self, path: str) -> bool:
        registry = self.registry
        if not registry.users:
            return True
        if not registry.realm:
            if self._user():
                return True
            self._refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="here"'})
            return False
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        repository = _repository(path)
        needed = f"repository:{repository}:" if repository else ""
        challenge = f'Bearer realm="{registry.realm}",service="test"'
        if needed:
            challenge += f',scope="{needed}pull"'
        if scheme == "Bearer" and value not in registry.expired:
            granted = base64.urlsafe_b64decode(value).decode().split()[1:]
            if not needed or any(scope.startswith(needed) for scope in granted):
                return True
            self._refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge + ',error="insufficient_scope"'})
            return False
        self._refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
        return False

    # ------------------------------------------------------------ what is served

    def _v2(self, path: str, body: bytes) -> None:
        if path == "/v2/":
            self._json(200, {})
            return
        name = _repository(path)
        rest = path.removeprefix(f"/v2/{name}/")
        kind, _, last = rest.partition("/")
        if kind == "tags":
            self._tags(name)
        elif kind == "manifests":
            self._manifest(name, last, body)
        elif last.startswith("uploads/"):
            self._upload(name, last.removeprefix("uploads/"), body)
        else:
            self._blob(name, last)

    def _tags(self, name: str) -> None:
        if name not in self.registry.manifests:
            self._refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        tags = sorted(tag for tag in self.registry.manifests[name] if ":" not in tag)
        last = self.query.get("last", "")
        page = [tag for tag in tags if tag > last][:2]
        more = {"Link": f'</v2/{name}/tags/list?last={page[-1]}>; rel="next"'} if page and page[-1] != tags[-1] else {}
        self._json(200, {"name": name, "tags": page}, more)

    def _manifest(self, name: str, reference: str, body: bytes) -> None:
        registry = self.registry
        if self.command == "PUT":
            digest = registry.add_manifest(name, "" if ":" in reference else reference, body, self.headers["Content-Type"])
            self._answer(201, b"", {"Docker-Content-Digest": digest})
            return
        found = registry.manifests.get(name, {}).get(reference)
        if found is None:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        self._answer(200, found[1], {"Content-Type": found[0], "Docker-Content-Digest": digest_of(found[1])})

    def _blob(self, name: str, digest: str) -> None:
        registry = self.registry
        data = registry.blobs.get(digest) if digest in registry.holds.get(name, ()) else None
        if data is None:
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        if registry.elsewhere:
            self._answer(307, b"", {"Location": registry.elsewhere + self.path})
            return
        begin = 0
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and registry.ranges:
            begin = int(asked[1])
        head = {"Content-Type": "application/octet-stream", "Content-Length": str(len(data) - begin)}
        if begin:
            head["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self._head(206 if begin else 200, head)
        if self.command == "GET":
            self._send_blob(digest, data, begin)

    def _send_blob(self, digest: str, data: bytes, begin: int) -> None:
        registry = self.registry
        with registry.lock:
            registry.begins.setdefault(digest, []).append(begin)
        breaks = registry.breaks.get(digest)
        end = breaks.pop(0) if breaks else len(data)
        at = begin
        while at < end:
            piece = data[at : min(at + _PIECE, end)]
            self.wfile.write(piece)
            with registry.lock:
                registry.served[digest] += len(piece)
            at += len(piece)
            if registry.slow:
                time.sleep(registry.slow)
            if registry.gate is not None and at < end:
                registry.gate.wait(60)
        if end < len(data):
            self.close_connection = True

    def _upload(self, name: str, upload: str, body: bytes) -> None:
        registry = self.registry
        if self.command == "POST":
            digest, source = self.query.get("mount", ""), self.query.get("from", "")
            if digest and registry.mounts and digest in registry.holds.get(source, ()):
                registry.holds.setdefault(name, set()).add(digest)
                self._answer(201, b"", {"Docker-Content-Digest": digest})
                return
            upload = f"u{len(registry.uploads)}"
            registry.uploads[upload] = bytearray()
        else:
            registry.uploads[upload] += body
        if self.command == "PUT":
            data = bytes(registry.uploads.pop(upload))
            if digest_of(data) != self.query["digest"]:
                self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
                return
            registry.add_blob(name, data)
            self._answer(201, b"", {"Docker-Content-Digest": digest_of(data)})
            return
        self._answer(202, b"", {"Location": f"/v2/{name}/blobs/uploads/{upload}?state=x%2Fy"})

    # ------------------------------------------------------------ answers

    def _refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self._json(status, {"errors": [{"code": code, "message": message}]}, headers)

    def _json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self._head(status, {"Content-Length": str(len(data)), **headers})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _repository(path: str) -> str:
    found = re.match(r"/v2/(.+)/(?:manifests|blobs|tags)/", path)
    return found[1] if found else ""


def _main() -> None:
    registry = Registry()
    registry.blobs, registry.manifests, registry.holds, registry.users = pickle.loads(Path(sys.argv[2]).read_bytes())
    registry.slow = float(sys.argv[3]) if len(sys.argv) > 3 else 0
    with registry.serving(port=int(sys.argv[1])):
        for line in sys.stdin:
            command, _, argument = line.strip().partition(" ")
            if command == "slow":
                registry.slow = float(argument)
            print(json.dumps({"served": registry.served, "asked": registry.asked, "begins": registry.begins}), flush=True)


if __name__ == "__main__":
    _main()
