"""Workers of the real launcher, and trees to copy from and to."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from argosy.runtime.client import LauncherWorkers
from argosy.storage.model import Overlay


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "engine_files" in str(item.path):
            item.add_marker(pytest.mark.root)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="argosy-files-"))
    yield path
    shutil.rmtree(path)


@pytest_asyncio.fixture
async def workers(scratch: Path) -> AsyncIterator[LauncherWorkers]:
    found = LauncherWorkers(exec_root=str(scratch / "run"), daemon_id="files-test")
    yield found
    await found.close()
    await asyncio.sleep(0)


@pytest.fixture
def snapshot(scratch: Path) -> Overlay:
    """An image with a few files, and a writable layer above."""
    lower, upper, work = scratch / "lower", scratch / "upper", scratch / "work"
    for path in (lower / "etc", lower / "tmp", lower / "dir" / "sub", upper, work):
        path.mkdir(parents=True)
    (lower / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\napp:x:7:8::/:/bin/sh\n")
    (lower / "etc/group").write_text("root:x:0:\nweb:x:9:\n")
    (lower / "dir/file").write_text("content")
    os.symlink("/etc/passwd", lower / "abs")
    os.symlink("../../../../dir", lower / "rel")
    os.chmod(lower / "tmp", 0o1777)
    return Overlay((str(lower),), str(upper), str(work))
