"""Archives exchanged with a real Docker: set ARGOSY_TEST_DOCKER to its socket (``unix:///…``)."""

import io
import json
import os
import subprocess
import tarfile
import uuid

import pytest

from argosy.images.model import CommitRequest
from argosy.oci.config import Config
from suites.image_host import Host
from suites.snapshots import Opened, tar

DOCKER = os.environ.get("ARGOSY_TEST_DOCKER", "")
pytestmark = [pytest.mark.root, pytest.mark.skipif(not DOCKER, reason="ARGOSY_TEST_DOCKER does not name a Docker's socket")]

ROOT = tar(("bin", "dir"), ("bin/a", b"a" * 5000), ("etc", "dir"), ("etc/x", b"1"), ("l", "->bin/a"))


def docker(*args, stdin=None):
    return subprocess.run(["docker", "-H", DOCKER, *args], input=stdin, capture_output=True, check=True).stdout


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}


@pytest.fixture
def name():
    name = f"argosy-test-{uuid.uuid4().hex[:12]}"
    yield name
    left = docker("images", "-q", "--filter", f"reference={name}").split()
    for image in left:
        docker("rmi", "-f", image.decode())


async def test_what_docker_saves_we_load_and_save_alike(host: Host, name):
    docker("import", "-c", 'CMD ["a"]', "-m", "hello", "-", f"{name}:1", stdin=ROOT)
    docker("tag", f"{name}:1", f"{name}:2")
    theirs = docker("save", f"{name}:1", f"{name}:2")
    await host.load(theirs)
    ours = members(await host.save(f"{name}:1", f"{name}:2"))
    for member, data in members(theirs).items():
        # Docker adds a description of each layer for versions before 1.10, which nothing names.
        if member in ours or json.loads(data).get("id") is None:
            assert ours[member] == data, member
    inspected = json.loads(docker("image", "inspect", f"{name}:1"))[0]
    detail = await host.images.inspect(f"{name}:1")
    assert (detail.id, detail.size, detail.created) == (inspected["Id"], inspected["Size"], inspected["Created"])
    assert list(detail.diff_ids) == inspected["RootFS"]["Layers"]


async def test_what_we_commit_docker_loads(host: Host, name):
    base = await host.import_(ROOT, name, "base")
    view = await host.images.resolve(base)
    with Opened(await host.snapshots.prepare("c", view.chain_id)) as root:
        root.write("new", b"content")
        root.remove("etc/x")
    image_id = await host.images.commit(CommitRequest("c", base, "c", Config(cmd=("a",)), f"{name}:1"))
    docker("load", stdin=await host.save(f"{name}:1"))
    inspected = json.loads(docker("image", "inspect", f"{name}:1"))[0]
    detail = await host.images.inspect(f"{name}:1")
    assert (inspected["Id"], inspected["Size"]) == (image_id, detail.size)
    container = docker("create", f"{name}:1", "x").decode().strip()
    try:
        with tarfile.open(fileobj=io.BytesIO(docker("export", container))) as archive:
            names = archive.getnames()
    finally:
        docker("rm", container)
    assert "new" in names
    assert "etc/x" not in names
    assert (
        members(docker("save", f"{name}:1")).items()
        >= {member: data for member, data in members(await host.save(f"{name}:1")).items() if member.startswith("blobs/")}.items()
    )
