"""``--user``: names, numbers, groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.oci.passwd import ExecUser, resolve_user

PASSWD = b"""root:x:0:0:root:/root:/bin/sh
# app:x:9:9::/:/bin/sh
app:x:7:8:App:/home/app:/bin/sh
broken:x:a:b::/:/bin/sh
short:x:1
42:x:77:78::/odd:/bin/sh
nohome:x:12:13:::/bin/sh
"""
GROUP = b"""root:x:0:
web:x:50:app,other
video:x:44:app
own:x:8:app
nobody
"""


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("", ExecUser(0, 0, (), "/root")),
        ("root", ExecUser(0, 0, (), "/root")),
        ("app", ExecUser(7, 8, (50, 44), "/home/app")),
        ("7", ExecUser(7, 8, (50, 44), "/home/app")),
        ("app:web", ExecUser(7, 50, (), "/home/app")),
        ("app:3", ExecUser(7, 3, (), "/home/app")),
        ("1000", ExecUser(1000, 0, (), "/")),
        ("1000:1001", ExecUser(1000, 1001, (), "/")),
        ("42", ExecUser(77, 78, (), "/odd")),
        ("nohome", ExecUser(12, 13, (), "/")),
        ("app:", ExecUser(7, 8, (50, 44), "/home/app")),
    ],
)
def test_who_it_is(user, found):
    assert resolve_user(user, PASSWD, GROUP) == found


def test_groups_that_are_added_come_last_and_once():
    assert resolve_user("app", PASSWD, GROUP, ["video", "99", "root"]).groups == (50, 44, 99, 0)
    assert resolve_user("5", b"", b"", ["6"]) == ExecUser(5, 0, (6,), "/")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("nope", "unable to find user nope: no matching entries in passwd file"),
        ("broken", "unable to find user broken: no matching entries in passwd file"),
        ("app:nope", "unable to find group nope: no matching entries in group file"),
        ("99999999999", "uids and gids must be in range 0-2147483647"),
        ("0:99999999999", "uids and gids must be in range 0-2147483647"),
        ("-1", "unable to find user -1: no matching entries in passwd file"),
    ],
)
def test_unknown_ones_are_named_in_dockers_words(user, words):
    with pytest.raises(InvalidParameterError) as error:
        resolve_user(user, PASSWD, GROUP)
    assert str(error.value) == words


@given(st.text(max_size=12), st.binary(max_size=60), st.binary(max_size=60))
def test_hostile_files_raise_nothing_else(user, passwd, group):
    try:
        resolve_user(user, passwd, group, ["a"])
    except InvalidParameterError:
        pass
