"""Project quotas of ext4 and xfs, which not every kernel has: a tree holds what its project may, and no more."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from argosy.linux import project_quota
from support.loop import loop

MIB = 1 << 20
KINDS = {"ext4": (64, ["-O", "quota,project", "-E", "quotatype=prjquota"]), "xfs": (320, [])}


@pytest.fixture(scope="module", params=KINDS)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system that keeps projects within their limits."""
    size, options = KINDS[request.param]
    with loop(tmp_path_factory.mktemp("quotas"), request.param, size, options, mounted="prjquota") as point:
        yield point


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Yield an fd of a directory, made here."""
    path.mkdir(exist_ok=True)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def fill(path: Path, most: int) -> int:
    """Write until the disk refuses, or ``most`` bytes; return how many were taken.

    As a root without CAP_SYS_RESOURCE, as in a container: with it, limits of ext4 do not count (fs/quota/dquot.c: ignore_hardlimit).
    """
    command = ["setpriv", "--bounding-set=-sys_resource", "dd", "if=/dev/zero", f"of={path}", "bs=64K", f"count={most // 65536}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or re.search("quota exceeded|No space", done.stderr), done.stderr
    return path.stat().st_size


def test_it_is_enforced_here_and_not_elsewhere(home: Path) -> None:
    for path, expected in ((home, True), (Path("/tmp"), False), (Path("/proc"), False)):
        with opened(path) as fd:
            assert project_quota.enforced(fd) is expected


def test_a_tree_holds_what_its_project_may_and_its_neighbour_too(home: Path) -> None:
    far = 4_000_000_001
    with opened(home / "small") as small, opened(home / "other") as other:
        for fd, project in ((small, 1001), (other, far)):
            assert project_quota.quota(fd, project) == (0, 0)
            project_quota.assign(fd, project)
            project_quota.set_limit(fd, project, 4 * MIB)
        (home / "small/deeper").mkdir()
        assert 3 * MIB < fill(home / "small/deeper/file", 8 * MIB) <= 4 * MIB
        assert fill(home / "other/file", 3 * MIB) == 3 * MIB
        assert project_quota.project_of(other) == far
        used, limit = project_quota.quota(small, 1001)
        assert limit == 4 * MIB and 3 * MIB < used <= 4 * MIB
        # What df shows in the tree is the project's room, not the disk's.
        space = os.statvfs(home / "other")
        assert space.f_blocks * space.f_frsize == 4 * MIB


def test_a_limit_is_changed_and_taken_away(home: Path) -> None:
    with opened(home / "changed") as fd:
        project_quota.assign(fd, 1003)
        project_quota.set_limit(fd, 1003, MIB)
        assert fill(home / "changed/file", 2 * MIB) <= MIB
        project_quota.set_limit(fd, 1003, 0)
        assert fill(home / "changed/file", 3 * MIB) == 3 * MIB


def test_what_is_removed_is_free_again(home: Path) -> None:
    with opened(home / "freed") as fd:
        project_quota.assign(fd, 1004)
        project_quota.set_limit(fd, 1004, 2 * MIB)
        assert MIB < fill(home / "freed/file", 4 * MIB) <= 2 * MIB
        (home / "freed/file").unlink()
        os.sync()
        assert fill(home / "freed/again", MIB) == MIB
