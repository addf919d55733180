"""Detach keys, by moby's rules."""

import pytest

from argosy.runtime.shim.keys import DetachKeys


def run(keys: bytes, *chunks: bytes) -> tuple[list[bytes], bool]:
    filtered = DetachKeys(keys)
    passed, detached = [], False
    for chunk in chunks:
        text, detached = filtered.filter(chunk)
        passed.append(text)
        if detached:
            break
    return passed, detached


@pytest.mark.parametrize(
    ("chunks", "passed", "detached"),
    [
        ((b"abc",), [b"abc"], False),
        ((b"abc\x10\x11rest",), [b"abc"], True),
        ((b"a\x10", b"\x11"), [b"a", b""], True),
        ((b"a\x10", b"b"), [b"a", b"\x10b"], False),
        ((b"\x10\x10\x11",), [b"\x10\x10\x11"], False),  # moby does not look again at the byte that broke the sequence
        ((b"\x11\x10",), [b"\x11"], False),
    ],
)
def test_sequence(chunks: tuple[bytes, ...], passed: list[bytes], detached: bool) -> None:
    assert run(b"\x10\x11", *chunks) == (passed, detached)


def test_no_keys_pass_everything() -> None:
    assert run(b"", b"\x10\x11") == ([b"\x10\x11"], False)


def test_single_key() -> None:
    assert run(b"q", b"abq") == ([b"ab"], True)
