"""Which project a tree gets; that limits hold is shown in the virtual machine."""

from itertools import islice
from pathlib import Path

import pytest

from argosy.linux import project_quota
from argosy.linux.project_quota import Quota
from argosy.storage import tree_quota


class Disk:
    """A file system with project quotas."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.quotas: dict[int, Quota] = {}
        self.assigned: list[int] = []
        self.said: list[str] = []
        monkeypatch.setattr(project_quota, "quota", lambda fd, project: self.quotas.get(project, Quota(0, 0)))
        monkeypatch.setattr(project_quota, "set_limit", self.set_limit)
        monkeypatch.setattr(project_quota, "assign", self.assign)
        monkeypatch.setattr(project_quota, "project_of", lambda fd: self.assigned[-1] if self.assigned else 0)

    def set_limit(self, fd: int, project: int, size: int) -> None:
        self.said.append("limit")
        self.quotas[project] = Quota(self.quotas.get(project, Quota(0, 0)).used, size)

    def assign(self, fd: int, project: int) -> None:
        self.said.append("assign")
        self.assigned.append(project)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_numbers_are_drawn_from_the_name_above_the_administrators() -> None:
    drawn = [next(tree_quota.candidates(f"tree{number}")) for number in range(200)]
    assert len(set(drawn)) == 200 and min(drawn) >= 1 << 20 and max(drawn) < (1 << 32) - 1
    assert next(tree_quota.candidates("tree7")) == drawn[7]


def test_a_number_that_is_counted_or_limited_is_somebody_elses(disk: Disk, tmp_path: Path) -> None:
    first, second, third = islice(tree_quota.candidates("x"), 3)
    disk.quotas = {first: Quota(4096, 0), second: Quota(0, 1 << 20)}
    (tmp_path / "work").mkdir()
    tree_quota.limit("x", [tmp_path, tmp_path / "work"], 1 << 30)
    assert disk.assigned == [third, third] and disk.quotas[third].limit == 1 << 30
    # A death in between leaves a number that is taken, never a tree under a number that is not.
    assert disk.said == ["limit", "assign", "assign"]


def test_what_is_released_is_free_when_it_is_empty(disk: Disk, tmp_path: Path) -> None:
    tree_quota.limit("x", [tmp_path], 1 << 30)
    tree_quota.release(tmp_path)
    assert disk.quotas[disk.assigned[0]].limit == 0
    tree_quota.release(tmp_path / "none")


def test_an_ordinary_directory_cannot_be_limited() -> None:
    assert not tree_quota.supported(Path("/proc"))
