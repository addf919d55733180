import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.cache.prune import Standing, Wanted, choose, orphans
from argosy.build.cache.record import MOUNT, REGULAR, STATE, CacheRecord

HOUR = 3600 * 10**9


def record(key, *, kind=REGULAR, used=0, size=10, chain="", **more):
    return CacheRecord(key * 32, kind, chain=chain or f"c{key}", diff_id="d", last_used=used, created=1, size=size, **more)


def chosen(records, filters=None, *, now=100 * HOUR, used=(), shared=(), **wanted):
    def standing(one):
        return Standing(in_use=one.key[0] in used, shared=one.key[0] in shared)

    return [one.key[0] for one in choose(records, filters or {}, Wanted(**wanted), standing, now)]


RECORDS = [record("a", used=3 * HOUR), record("b", used=1 * HOUR), record("c", used=99 * HOUR, kind=MOUNT), record("d", kind=STATE)]


def test_everything_visible_goes_the_longest_unused_first():
    assert chosen(RECORDS) == ["b", "a", "c"]


def test_what_is_in_use_stays_and_what_images_have_goes_only_with_all():
    assert chosen(RECORDS, used=("b",), shared=("a",)) == ["c"]
    assert chosen(RECORDS, used=("b",), shared=("a",), all=True) == ["a", "c"]


def test_bounds_leave_what_fits():
    assert chosen(RECORDS, reserved=20) == ["b"]
    assert chosen(RECORDS, maximum=10) == ["b", "a"]
    assert chosen(RECORDS, free=15, available=0) == ["b", "a"]
    assert chosen(RECORDS, free=15, available=15) == []
    assert chosen(RECORDS, maximum=5, reserved=25) == ["b"]


def test_filters():
    assert chosen(RECORDS, {"until": ["24h"]}) == ["b", "a"]
    assert chosen(RECORDS, {"type": ["exec.cachemount"]}) == ["c"]
    assert chosen(RECORDS, {"id": ["aaaa"]}) == ["a"]
    assert chosen(RECORDS, {"inuse": ["true"]}, used=("a",)) == []
    with pytest.raises(InvalidParameterError, match="invalid filter 'nope'"):
        chosen(RECORDS, {"nope": ["x"]})


def test_hidden_entries_go_with_the_files_they_tell_of():
    state = CacheRecord("s" * 32, STATE, chain="ca")
    every = [*RECORDS[:3], state]
    assert orphans(every, [RECORDS[0]], frozenset()) == [state]
    assert orphans(every, [RECORDS[0]], frozenset({"ca"})) == []
    assert orphans(every, [RECORDS[1]], frozenset()) == []


def test_hidden_entries_do_not_hold_files_that_an_image_had():
    state = CacheRecord("s" * 32, STATE, chain="ca")
    assert orphans([state], [], frozenset({"ca"})) == []
    assert orphans([state], [], frozenset()) == [state]
    assert orphans([CacheRecord("s" * 32, STATE)], [], frozenset()) == []
