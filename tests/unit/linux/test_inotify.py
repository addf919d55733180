import os
from pathlib import Path

from argosy.linux.inotify import CREATE, MODIFY, Inotify


def test_changes_of_a_watched_directory_are_told_with_names(tmp_path: Path) -> None:
    with Inotify() as watch:
        descriptor = watch.watch(str(tmp_path), CREATE | MODIFY)
        assert watch.read() == []
        (tmp_path / "log.1").write_text("x")
        events = watch.read()
    assert (descriptor, CREATE, b"log.1") in events
    assert (descriptor, MODIFY, b"log.1") in events


def test_removing_a_watch_of_a_vanished_file_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    with Inotify() as watch:
        descriptor = watch.watch(os.fsencode(file), MODIFY)
        file.unlink()
        watch.unwatch(descriptor)
        watch.unwatch(descriptor)
