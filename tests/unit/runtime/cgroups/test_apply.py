from pathlib import Path

import pytest

from argosy.runtime.cgroups.apply import apply
from argosy.runtime.cgroups.limits import Setting


def directory(path: Path, *files: str) -> str:
    for name in files:
        (path / name).touch()
    return str(path)


def test_values_land_in_the_files_of_their_controller(tmp_path: Path) -> None:
    home = directory(tmp_path, "pids.max")
    assert apply([Setting("pids", "pids.max", 5)], lambda controller: home if controller == "pids" else None) == []
    assert (tmp_path / "pids.max").read_text() == "5"


def test_what_the_kernel_lacks_is_a_warning_in_dockers_words(tmp_path: Path) -> None:
    setting = Setting("memory", "memory.memsw.limit_in_bytes", 5, "Your kernel does not support swap limit capabilities")
    assert apply([setting], lambda controller: str(tmp_path)) == ["Your kernel does not support swap limit capabilities"]
    assert apply([setting], lambda controller: None) == ["Your kernel does not support swap limit capabilities"]


def test_what_is_needed_and_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        apply([Setting("cpuset", "cpuset.cpus", "0", needed=True)], lambda controller: str(tmp_path))


def test_the_first_file_that_exists_is_used_and_weights_are_converted(tmp_path: Path) -> None:
    home = directory(tmp_path, "io.weight")
    apply([Setting("io", "io.bfq.weight|io.weight", "8:0 1000")], lambda controller: home)
    assert (tmp_path / "io.weight").read_text() == "8:0 10000"
