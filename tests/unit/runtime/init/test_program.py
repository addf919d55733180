from pathlib import Path

import pytest

from argosy.runtime.init.program import ProgramError, candidates


def program(path: Path, mode: int = 0o755) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return bytes(path)


def test_every_match_on_the_path_is_a_candidate_in_order(tmp_path: Path) -> None:
    first, second = program(tmp_path / "a/tool"), program(tmp_path / "b/tool")
    program(tmp_path / "c/tool", 0o644)
    path = b":".join(bytes(tmp_path / name) for name in ("none", "c", "a", "b"))
    assert candidates(b"tool", {b"PATH": path}) == [first, second]


@pytest.mark.parametrize("name", [b"tool", b""])
def test_what_is_nowhere_on_the_path_is_not_found(name: bytes) -> None:
    with pytest.raises(ProgramError) as caught:
        candidates(name, {b"PATH": b"/nowhere"})
    assert str(caught.value) == f'exec: "{name.decode()}": executable file not found in $PATH'
    assert caught.value.errno == 2


def test_a_path_must_lead_to_something_executable(tmp_path: Path) -> None:
    plain = program(tmp_path / "plain", 0o644)
    for path, words in (
        (plain, "permission denied"),
        (bytes(tmp_path), "permission denied"),
        (bytes(tmp_path / "no"), f"stat {tmp_path}/no: no such file or directory"),
        (plain + b"/x", f"stat {tmp_path}/plain/x: not a directory"),
    ):
        with pytest.raises(ProgramError) as caught:
            candidates(path, {})
        assert str(caught.value) == f'exec: "{path.decode()}": {words}'
