import os
from pathlib import Path

import pytest

from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.state import Container, load, load_all, process_start, reserve


@pytest.mark.parametrize("identifier", ["", ".", "..", "a/b", "a b", "ä"])
def test_an_id_is_a_plain_file_name(tmp_path: Path, identifier: str) -> None:
    with pytest.raises(RuntimeFailed, match="invalid container ID format"):
        reserve(str(tmp_path), identifier)


def test_an_id_is_taken_once(tmp_path: Path) -> None:
    reserve(str(tmp_path), "a")
    with pytest.raises(RuntimeFailed, match="already exists"):
        reserve(str(tmp_path), "a")


def test_a_half_made_container_does_not_exist(tmp_path: Path) -> None:
    reserve(str(tmp_path), "a")
    with pytest.raises(RuntimeFailed, match="does not exist"):
        load(str(tmp_path), "a")
    assert load_all(str(tmp_path)) == []


def test_a_pid_of_another_process_is_a_stopped_container(tmp_path: Path) -> None:
    reserve(str(tmp_path), "a")
    record = {"pid": os.getpid(), "pid_start": 1, "plan": {}}
    Container(str(tmp_path), "a", record).save()
    assert load(str(tmp_path), "a").status() == "stopped"


def test_a_process_has_a_start() -> None:
    assert process_start(os.getpid()) is not None
    assert process_start(0) is None
