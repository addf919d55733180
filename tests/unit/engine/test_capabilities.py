"""Capability sets."""

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.capabilities import DEFAULT, capabilities, check
from argosy.linux.capabilities import NAMES, NUMBERS


def test_the_default_set_is_dockers():
    assert sum(1 << NUMBERS[name] for name in capabilities(None, None, False)) == 0xA80425FB
    assert len(DEFAULT) == 14


@pytest.mark.parametrize(
    ("add", "drop", "privileged", "found"),
    [
        (["ALL"], None, False, set(NAMES)),
        (["all"], ["net_raw"], False, set(NAMES) - {"CAP_NET_RAW"}),
        (None, ["ALL"], False, set()),
        (["NET_ADMIN"], ["ALL"], False, {"CAP_NET_ADMIN"}),
        (["cap_net_admin", "NET_ADMIN"], None, False, {*DEFAULT, "CAP_NET_ADMIN"}),
        (None, ["CHOWN"], False, set(DEFAULT) - {"CAP_CHOWN"}),
        (["CHOWN"], ["CHOWN"], False, set(DEFAULT)),
        (["ALL"], ["ALL"], False, set(NAMES)),
        (None, ["ALL"], True, set(NAMES)),
    ],
)
def test_adding_and_dropping(add, drop, privileged, found):
    held = capabilities(add, drop, privileged)
    assert set(held) == found and len(held) == len(found)


def test_what_the_kernel_does_not_have_is_left_out():
    assert capabilities(["ALL"], None, False, known=("CAP_CHOWN",)) == ("CAP_CHOWN",)
    assert "CAP_BPF" not in capabilities(["BPF"], None, False, known=DEFAULT)


@pytest.mark.parametrize(
    ("add", "drop", "words"),
    [
        (["FOO"], None, 'invalid CapAdd: unknown capability: "CAP_FOO"'),
        (None, ["cap_all"], 'invalid CapDrop: unknown capability: "CAP_ALL"'),
    ],
)
def test_unknown_ones_are_refused(add, drop, words):
    with pytest.raises(InvalidParameterError) as error:
        check(add, drop)
    assert str(error.value) == words


def test_what_the_daemon_has_not_itself_is_refused():
    with pytest.raises(InvalidParameterError) as error:
        check(["SYS_RESOURCE"], None, available=DEFAULT)
    assert str(error.value) == (
        'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_RESOURCE"'
    )
    check(["ALL", "CHOWN"], ["ALL"], available=DEFAULT)
