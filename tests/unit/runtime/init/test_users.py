import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.init.users import UserError, home_of, resolve_groups, resolve_user

PASSWD = b"root:x:0:0:root:/root:/bin/sh\n# comment\nbob:x:1000:1001::/home/bob:/bin/sh\n\n77:x:5000:5000::/home/digits:\nshort:x:8\n"
GROUP = b"root:x:0:\nbob:x:1001:\nextra:x:2000:bob,root\nwheel:x:10:root\n"


@pytest.mark.parametrize(
    ("wanted", "uid", "gid", "groups"),
    [
        (b"", 0, 0, [2000, 10]),
        (b"root", 0, 0, [2000, 10]),
        (b"bob", 1000, 1001, [2000]),
        (b"1000", 1000, 1001, [2000]),
        (b"bob:extra", 1000, 2000, []),
        (b"bob:10", 1000, 10, []),
        (b":bob", 0, 1001, []),
        (b"4242", 4242, 0, []),
        (b"4242:4243", 4242, 4243, []),
        (b"77", 77, 0, []),
        (b"short", 8, 0, []),
    ],
)
def test_names_and_numbers_are_resolved_as_docker_does(wanted: bytes, uid: int, gid: int, groups: list[int]) -> None:
    user = resolve_user(wanted, PASSWD, GROUP)
    assert (user.uid, user.gid, user.groups) == (uid, gid, groups)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (b"nobody-here", "unable to find user nobody-here: no matching entries in passwd file"),
        (b"bob:nope", "unable to find group nope: no matching entries in group file"),
        (b"99999999999", "uids and gids must be in range 0-2147483647"),
        (b"-1", "uids and gids must be in range 0-2147483647"),
        (b"bob:4294967295", "uids and gids must be in range 0-2147483647"),
    ],
)
def test_what_cannot_be_found_is_said_in_dockers_words(wanted: bytes, message: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve_user(wanted, PASSWD, GROUP)
    assert str(caught.value) == message


def test_added_groups_may_be_names_or_numbers() -> None:
    assert resolve_groups([b"wheel", b"3000", b"2000"], GROUP) == [10, 3000, 2000]
    with pytest.raises(UserError, match="unable to find group nope: no matching entries in group file"):
        resolve_groups([b"nope"], GROUP)


def test_home_is_the_entrys_or_the_root() -> None:
    assert home_of(1000, PASSWD) == b"/home/bob"
    assert home_of(4242, PASSWD) == b"/"
    assert home_of(8, PASSWD) == b"/"


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=20))
def test_no_file_of_an_image_can_break_the_lookup(passwd: bytes, group: bytes, wanted: bytes) -> None:
    try:
        user = resolve_user(wanted, passwd, group)
    except UserError:
        return
    assert isinstance(user.uid, int)
