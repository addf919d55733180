"""``--userns-remap``."""

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.userns import IdRange, free_start, parse_remap

USERS = {"root": 0, "argosy": 999, "ann": 1000}
GROUPS = {"root": 0, "argosy": 998, "ann": 1000, "team": 1001}
SUBUID = "argosy:100000:65536\nann:300000:65536\n1000:200000:10\n# x\nbroken:1\nann:x:5\n"
SUBGID = "argosy:100000:65536\nteam:500000:65536\nann:300000:65536\n"


def parse(text):
    return parse_remap(text, users=USERS, groups=GROUPS, subuid=SUBUID, subgid=SUBGID)


def test_nothing_asked():
    assert parse("") is None


@pytest.mark.parametrize(
    ("text", "user", "group"),
    [
        ("default", "argosy", "argosy"),
        ("ann", "ann", "ann"),
        ("1000", "ann", "ann"),
        ("ann:team", "ann", "team"),
        ("1000:1001", "ann", "team"),
    ],
)
def test_who_is_meant(text, user, group):
    found = parse(text)
    assert (found.user, found.group) == (user, group)


def test_ranges_follow_one_another_lower_host_ids_first():
    found = parse("ann:team")
    assert found.uids == (IdRange(0, 200000, 10), IdRange(10, 300000, 65536))
    assert found.gids == (IdRange(0, 500000, 65536),)
    assert found.uids[1].oci() == {"containerID": 10, "hostID": 300000, "size": 65536}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:b:c", "invalid user/group specification in userns-remap setting: a:b:c"),
        ("nope", 'error during "nope" user lookup'),
        ("ann:nope", 'error during "nope" group lookup'),
        ("4242", "user id 4242 does not exist on this host"),
        ("root", 'no subuid ranges found for user "root" in /etc/subuid: add the line root:365536:65536 to it'),
        ("ann:root", 'no subgid ranges found for group "root" in /etc/subgid: add the line root:565536:65536 to it'),
    ],
)
def test_wrong_ones_are_refused(text, words):
    with pytest.raises(InvalidParameterError, match=words.replace("/", "/")):
        parse(text)


def test_a_free_range_lies_after_all_others():
    assert free_start("") == 100_000
    assert free_start(SUBUID) == 365_536
    assert free_start("low:1000:10\nann:x:5\n") == 100_000
