"""Ids and file capabilities between a container and the host."""

import struct

import pytest

from argosy.storage.archive.entry import ArchiveError
from argosy.storage.archive.idmap import CAPABILITY, IdMap

IDS = IdMap([[0, 500_000, 1000], [1000, 700_000, 10]], [[0, 600_000, 1000]])
EFFECTIVE = 0x1


def version2() -> bytes:
    return struct.pack("<5I", 0x02000000 | EFFECTIVE, 1 << 13, 2, 3, 4)


def version3(root: int) -> bytes:
    return struct.pack("<6I", 0x03000000 | EFFECTIVE, 1 << 13, 2, 3, 4, root)


def test_ids_go_both_ways() -> None:
    for uid, gid, seen in ((0, 0, (500_000, 600_000)), (999, 5, (500_999, 600_005)), (1009, 999, (700_009, 600_999))):
        assert IDS.to_host(uid, gid) == seen
        assert IDS.to_container(*seen) == (uid, gid)


def test_an_id_that_the_namespace_does_not_have_is_nobody_inside_and_refused_outside() -> None:
    assert IDS.to_container(0, 600_000) == (65534, 0)
    assert IDS.to_container(500_000, 0) == (0, 65534)
    with pytest.raises(ArchiveError, match="Container ID 1010 cannot be mapped to a host ID"):
        IDS.to_host(1010, 0)
    with pytest.raises(ArchiveError, match="Container ID 1000 cannot"):
        IDS.to_host(0, 1000)


def test_capabilities_of_the_containers_root_name_no_root_in_an_archive() -> None:
    outside = IDS.attributes_to_host({CAPABILITY: version2(), b"user.x": b"1"})
    assert outside == {CAPABILITY: version3(500_000), b"user.x": b"1"}
    assert IDS.attributes_to_container(outside) == {CAPABILITY: version2(), b"user.x": b"1"}


def test_capabilities_of_a_namespace_within_keep_their_root() -> None:
    assert IDS.attributes_to_host({CAPABILITY: version3(1005)}) == {CAPABILITY: version3(700_005)}
    assert IDS.attributes_to_container({CAPABILITY: version3(700_005)}) == {CAPABILITY: version3(1005)}


def test_capabilities_of_another_root_are_none_for_the_container() -> None:
    assert IDS.attributes_to_container({CAPABILITY: version2()}) == {}
    assert IDS.attributes_to_container({CAPABILITY: version3(7)}) == {}
    with pytest.raises(ArchiveError):
        IDS.attributes_to_host({CAPABILITY: version3(5000)})


def test_what_are_no_capabilities_is_left_as_it_is() -> None:
    for value in (b"", b"short", version2() + b"x", bytes(20)):
        assert IDS.attributes_to_host({CAPABILITY: value}) == {CAPABILITY: value}
        assert IDS.attributes_to_container({CAPABILITY: value}) == {CAPABILITY: value}
