import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.attach import detach_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-a,a,ctrl-@", b"\x01a\x00"),
        ("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x1b\x1c\x1d\x1e\x1f"),
        ("ctrl-Z", b"\x1a"),
    ],
)
def test_keys_become_the_bytes_a_terminal_sends(text, keys):
    assert detach_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-pp", "ctrl-1", "é", "a,,b"])
def test_bad_keys_are_refused(text):
    with pytest.raises(InvalidParameterError, match="Invalid detach keys"):
        detach_keys(text)
