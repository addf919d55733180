import shutil

import pytest

from argosy.base.clock import SystemClock
from argosy.build.cache.synced import SyncedTrees, outdated
from argosy.build.cache.table import CacheTable

DIRECTORY, SYMLINK = 1 << 31, 1 << 27
FILES = {"a": (0o644, 3, 5, "", 0, 0), "d": (0o755 | DIRECTORY, 0, 6, "", 0, 0)}


class Bin:
    def put(self, path):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def table():
    return CacheTable(db=None, clock=SystemClock())


def trees(tmp_path, table, boot="one"):
    found = SyncedTrees(tmp_path / "home", table=table, trash=Bin(), clock=SystemClock(), boot=boot)
    found.open()
    return found


def made(path):
    path.mkdir()
    (path / "a").write_text("abc")
    return path


def test_a_tree_comes_back_once(tmp_path, table):
    kept = trees(tmp_path, table)
    kept.give("ctx", made(tmp_path / "t"), FILES, "local source for context")
    (record,) = table.all()
    assert (record.kind, record.size, record.description) == ("source.local", 3, "local source for context")
    target = tmp_path / "target"
    target.mkdir()
    assert kept.take("ctx", target) == FILES
    assert (target / "a").read_text() == "abc" and table.all() == []
    # Another build that comes meanwhile.
    other = tmp_path / "other"
    other.mkdir()
    assert kept.take("ctx", other) is None and other.is_dir()
    kept.give("ctx", target, FILES, "")
    kept.give("ctx", made(tmp_path / "later"), {}, "")
    assert len(table.all()) == 1 == len(list((tmp_path / "home").iterdir()))


def test_what_another_run_of_the_kernel_wrote_does_not_count(tmp_path, table):
    trees(tmp_path, table).give("ctx", made(tmp_path / "t"), FILES, "")
    target = tmp_path / "target"
    target.mkdir()
    assert trees(tmp_path, table, boot="two").take("ctx", target) is None
    assert list(target.iterdir()) == [] and list((tmp_path / "home").iterdir()) == []


def test_what_a_crash_left_is_swept(tmp_path, table):
    kept = trees(tmp_path, table)
    kept.give("ctx", made(tmp_path / "t"), FILES, "")
    (tmp_path / "home/.half").mkdir()
    (tmp_path / "home/unknown").mkdir()
    kept.open()
    assert [path.name for path in (tmp_path / "home").iterdir()] == [table.all()[0].place]


def test_an_entry_whose_files_are_gone(tmp_path, table):
    kept = trees(tmp_path, table)
    kept.give("ctx", made(tmp_path / "t"), FILES, "")
    shutil.rmtree(tmp_path / "home" / table.all()[0].place)
    target = tmp_path / "target"
    target.mkdir()
    assert kept.take("ctx", target) is None and target.is_dir()


def test_what_has_to_go_before_changes_are_written():
    now = {"a": (0o600, 9, 9, "", 0, 0), "b": (0o644, 1, 1, "", 0, 0), "l": (0o777 | SYMLINK, 0, 0, "a", 0, 0)}
    before = {**FILES, "l": (0o644, 1, 1, "", 0, 0), "b": (0o755 | 1 << 23, 1, 1, "", 0, 0)}
    assert outdated(before, now) == ["d", "l"]
