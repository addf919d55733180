"""The daemon killed at every boundary of what images and layers do: the next one finds all of it or nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suites.image_host import Host
from suites.snapshots import tar

pytestmark = pytest.mark.root

TESTS = Path(__file__).parents[2]
POINTS = {
    "import": [
        "storage.layer.synced",
        "storage.layer.commit",
        "storage.content.commit",
        "storage.content.commit:2",
        "images.add",
        "storage.database.commit",
    ],
    "commit": ["storage.snapshot.commit", "storage.layer.synced", "storage.layer.commit", "storage.content.commit", "images.add"],
    "load": ["storage.layer.commit", "storage.layer.commit:2", "storage.content.commit:2", "images.add", "storage.database.commit"],
    "remove": ["storage.database.commit", "images.remove", "storage.layer.remove", "storage.content.remove", "storage.content.remove:2"],
    "snapshot": ["storage.snapshot.commit", "storage.snapshot.remove"],
}


@pytest.mark.parametrize(("act", "point"), [(act, point) for act, points in POINTS.items() for point in points])
async def test_killed_at(tmp_path, act, point):
    root = tmp_path / "host"
    root.mkdir()
    host = await Host(root).start()
    await host.import_(tar(("a", b"base")), "base")
    if act == "load":
        await host.import_(tar(("x", b"1")), "x")
        await host.import_(tar(("y", b"1")), "y")
        (tmp_path / "archive").write_bytes(await host.save("x", "y"))
        for name in ("x", "y"):
            await host.images.remove(name, force=True, prune=True)
    await host.stop()
    before = host.left()

    environment = {**os.environ, "ARGOSY_FAILPOINTS": f"{point}=kill", "PYTHONPATH": str(TESTS)}
    killed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("crash.py")), str(root), act], env=environment, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    await host.start()
    try:
        images = await host.images.list_(all=True, filters={})
        for image in images:
            await host.save(image.id)
        names = {name for image in images for name in image.repo_tags}
        layers, blobs, *halves = host.left()
        assert halves == [[], [], []]
        if act == "remove":
            # The image goes with its last name: none is left without one.
            assert names == ({"base:latest"} if images else set())
            if not images:
                assert (layers, blobs) == ([], [])
        elif names == {"base:latest"}:
            inits = [name for name in layers if name.endswith(".init")]
            assert ([name for name in layers if name not in inits], blobs) == (before[0], before[1])
        else:
            assert names <= {"base:latest", "new:latest", "x:latest", "y:latest"}
        if images:
            await host.snapshots.prepare("after", (await host.images.resolve(images[0].id)).chain_id)
        for key in list(host.snapshots.keys()):
            await host.snapshots.remove(key)
        for image in images:
            await host.images.remove(image.id, force=True, prune=True)
        assert host.left() == ([], [], [], [], [])
    finally:
        await host.stop()
