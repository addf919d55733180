import pytest

from argosy.linux import mount
from argosy.runtime.compile.options import parse_options, parse_propagation


def test_a_later_word_overrules_an_earlier_one() -> None:
    options = parse_options(["ro", "nosuid", "rw", "noatime", "strictatime"])
    assert options.on == mount.ATTR_NOSUID | mount.ATTR_STRICTATIME
    assert options.off & mount.ATTR_RDONLY
    assert options.off & mount.ATTR_ATIME_MASK


def test_recursive_words_are_kept_apart() -> None:
    options = parse_options(["rbind", "ro", "rro", "rslave"])
    assert (options.bind, options.recursive) == (True, True)
    assert (options.on, options.recursive_on) == (mount.ATTR_RDONLY, mount.ATTR_RDONLY)
    assert options.propagation == mount.MS_SLAVE | mount.MS_REC


def test_what_is_not_a_mount_option_is_the_file_systems() -> None:
    assert parse_options(["defaults", "mode=1777", "size=64m", "newinstance", "sync"]).data == [
        ("mode", "1777"),
        ("size", "64m"),
        ("newinstance", None),
        ("sync", None),
    ]


def test_an_unknown_propagation_is_an_error() -> None:
    assert parse_propagation("") == 0
    with pytest.raises(KeyError):
        parse_propagation("sideways")
