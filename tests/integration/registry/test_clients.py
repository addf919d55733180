"""Clients that people use, where they are installed: skopeo and podman."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.registry import OCI_CONFIG, OCI_MANIFEST, Server

Start = Callable[..., Server]
SECRET = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
HELLO = b"hello from a layer\n"


def image_folder(folder: Path) -> Path:
    """Write an OCI layout with one small image tagged ``latest``."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, media_type: str) -> dict[str, object]:
        value = hashlib.sha256(data).hexdigest()
        (blobs / value).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{value}", "size": len(data)}

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo("hello")
        member.size = len(HELLO)
        tar.addfile(member, io.BytesIO(HELLO))
    plain = f"sha256:{hashlib.sha256(stream.getvalue()).hexdigest()}"
    # skopeo and podman compress what is not, and the digest would be another.
    layer = put(gzip.compress(stream.getvalue(), mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [plain]}}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": put(json.dumps(config).encode(), OCI_CONFIG), "layers": [layer]}
    entry = {**put(json.dumps(manifest).encode(), OCI_MANIFEST), "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "auth.json").write_text("{}")
    environ = {**os.environ, "HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}

    def call(*words: str, code: int = 0) -> str:
        if shutil.which(words[0]) is None:
            pytest.skip(f"{words[0]} is not installed")
        done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=90)
        assert done.returncode == code or (code and done.returncode), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return call


def test_skopeo_copies_lists_and_deletes(serve: Start, run: Callable[..., str], tmp_path: Path) -> None:
    server = serve()
    image = image_folder(tmp_path / "image")
    for form in ("oci", "v2s2"):
        there = f"docker://{server.address}/team/app:{form}"
        run("skopeo", "copy", "--dest-tls-verify=false", f"--format={form}", f"oci:{image}:latest", there)
        run("skopeo", "copy", "--src-tls-verify=false", there, f"oci:{tmp_path}/back-{form}:latest")
    back = json.loads((tmp_path / "back-oci/index.json").read_text())["manifests"][0]["digest"]
    assert back == json.loads((image / "index.json").read_text())["manifests"][0]["digest"]
    listed = json.loads(run("skopeo", "list-tags", "--tls-verify=false", f"docker://{server.address}/team/app"))
    assert listed["Tags"] == ["oci", "v2s2"]
    run("skopeo", "delete", "--tls-verify=false", f"docker://{server.address}/team/app:v2s2")
    assert server.client().get("/v2/team/app/tags/list").json()["tags"] == ["oci"]


@pytest.mark.parametrize("flags", [[], ["--anonymous-pull"]], ids=["password", "anonymous pull"])
def test_skopeo_logs_in(serve: Start, run: Callable[..., str], tmp_path: Path, flags: list[str]) -> None:
    (tmp_path / "users").write_text(f"ann:{SECRET}\n")
    server = serve("--htpasswd", str(tmp_path / "users"), *flags)
    image, there = image_folder(tmp_path / "image"), f"docker://{server.address}/team/app:v1"
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{image}:latest", there, code=1)
    run("skopeo", "login", "--tls-verify=false", "-u", "ann", "-p", "wrong", server.address, code=1)
    run("skopeo", "login", "--tls-verify=false", "-u", "ann", "-p", "secret", server.address)
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{image}:latest", there)
    run("skopeo", "logout", server.address)
    run("skopeo", "inspect", "--tls-verify=false", there, code=0 if flags else 1)


@pytest.fixture
def podman(run: Callable[..., str]) -> Iterator[Callable[..., str]]:
    # podman takes no run folder whose path is longer than 50 characters.
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        yield lambda *words: run("podman", "--root", f"{folder}/store", "--runroot", f"{folder}/run", "--storage-driver", "vfs", *words)


@pytest.mark.root
def test_podman_pushes_and_pulls(serve: Start, podman: Callable[..., str], tmp_path: Path) -> None:
    server = serve()
    image = image_folder(tmp_path / "image")
    podman("pull", "-q", f"oci:{image}:latest")
    made = podman("images", "-q").split()[0]
    there = f"{server.address}/team/app:v1"
    podman("push", "--tls-verify=false", made, f"docker://{there}")
    podman("rmi", "-af")
    podman("pull", "-q", "--tls-verify=false", there)
    assert podman("images", "--format", "{{.Repository}}:{{.Tag}}").split() == [there]
