"""Debian's docker-registry on the loopback of an engine's network namespace, to pull from and to push to."""

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from target import Target

PORT = 15000
MEDIA = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def store(root: Path, repository: str, tag: str, config: bytes, layers: list[bytes]) -> None:
    """Write an image of gzipped layers as docker-registry keeps it (distribution ``registry/storage/paths.go``), without a registry."""
    v2 = root / "docker/registry/v2"
    home = v2 / "repositories" / repository

    def put(data: bytes, link: str) -> str:
        name = _digest(data)
        blob = v2 / "blobs/sha256" / name[:2] / name
        blob.mkdir(parents=True, exist_ok=True)
        (blob / "data").write_bytes(data)
        _link(home / link / "sha256" / name, name)
        return name

    described = [{"mediaType": LAYER, "size": len(data), "digest": "sha256:" + put(data, "_layers")} for data in layers]
    about = {"mediaType": CONFIG, "size": len(config), "digest": "sha256:" + put(config, "_layers")}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA, "config": about, "layers": described}).encode()
    name = put(manifest, "_manifests/revisions")
    _link(home / "_manifests/tags" / tag / "current", name)
    _link(home / "_manifests/tags" / tag / "index/sha256" / name, name)


def _link(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link").write_text(f"sha256:{name}")


@contextmanager
def serving(engine: Target, root: Path | None = None) -> Iterator[str]:
    """Run a registry over ``root`` (nothing by default) where the engine is; yield its ``host:port``. Raises RuntimeError."""
    program = shutil.which("docker-registry")
    if not program:
        raise RuntimeError("docker-registry is not installed (apt-get install docker-registry)")
    with tempfile.TemporaryDirectory(prefix="argosy-bench-hub-") as folder:
        config = Path(folder, "config.json")
        address = f"127.0.0.1:{PORT}"
        settings = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(root or Path(folder, "data"))}},
            "http": {"addr": address},
        }
        config.write_text(json.dumps(settings))
        process = subprocess.Popen(engine.inside([program, "serve", str(config)]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(engine, process)
            yield address
        finally:
            process.terminate()
            process.wait()


def _await(engine: Target, process: "subprocess.Popen[bytes]") -> None:
    probe = f"import socket; socket.create_connection(('127.0.0.1', {PORT}), 1)"
    deadline = time.monotonic() + 20
    while subprocess.run(engine.inside(["/usr/bin/python3", "-I", "-S", "-c", probe]), stderr=subprocess.DEVNULL).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("docker-registry did not start")
        time.sleep(0.05)
