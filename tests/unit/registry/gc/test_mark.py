from hypothesis import given
from hypothesis import strategies as st

from argosy.registry.gc.mark import Entry, Plan, Snapshot, plan

OLD, NEW = 5000.0, 10.0


def decide(snapshot: Snapshot, *dropped: str, untagged: bool = False) -> Plan:
    return plan(snapshot, dropped=frozenset(dropped), grace=3600.0, untagged=untagged)


def test_a_blob_that_a_manifest_names_stays() -> None:
    snapshot = Snapshot({"v1": "m"}, {"m": Entry(OLD, ("b",))}, {"b": OLD, "lonely": OLD})
    assert decide(snapshot) == Plan(blobs=("lonely",))


def test_a_blob_that_came_just_now_stays() -> None:
    assert decide(Snapshot({}, {}, {"b": NEW})) == Plan()


def test_a_manifest_without_a_tag_stays_unless_told() -> None:
    snapshot = Snapshot({}, {"m": Entry(OLD, ("b",))}, {"b": OLD})
    assert decide(snapshot) == Plan()
    assert decide(snapshot, untagged=True) == Plan(manifests=("m",), blobs=("b",))


def test_a_young_manifest_without_a_tag_stays_with_all_it_names() -> None:
    snapshot = Snapshot({}, {"index": Entry(NEW, (), ("m",)), "m": Entry(OLD, ("b",))}, {"b": OLD})
    assert decide(snapshot, untagged=True) == Plan()


def test_an_index_keeps_its_manifests() -> None:
    manifests = {"index": Entry(OLD, (), ("a", "b")), "a": Entry(OLD, ("1",)), "b": Entry(OLD, ("2",)), "c": Entry(OLD, ("3",))}
    snapshot = Snapshot({"v1": "index"}, manifests, {"1": OLD, "2": OLD, "3": OLD})
    assert decide(snapshot, untagged=True) == Plan(manifests=("c",), blobs=("3",))


def test_a_subject_keeps_its_referrers_and_they_go_with_it() -> None:
    manifests = {"image": Entry(OLD, ("1",)), "signature": Entry(OLD, ("2",), (), "image"), "of signature": Entry(OLD, (), (), "signature")}
    tagged = Snapshot({"v1": "image"}, manifests, {"1": OLD, "2": OLD})
    assert decide(tagged, untagged=True) == Plan()
    assert decide(tagged, "v1") == Plan(("v1",), ("image", "of signature", "signature"), ("1", "2"))


def test_what_a_dropped_tag_leads_to_goes_unless_another_leads_there() -> None:
    manifests = {"index": Entry(OLD, (), ("a", "b")), "a": Entry(OLD, ("1",)), "b": Entry(OLD, ("2",)), "other": Entry(OLD, ("1",))}
    snapshot = Snapshot({"old": "index", "b": "b"}, manifests, {"1": OLD, "2": OLD})
    assert decide(snapshot, "old") == Plan(("old",), ("index", "a"))


def test_what_names_others_goes_before_them() -> None:
    manifests = {"a": Entry(OLD), "m": Entry(OLD, (), ("a",)), "z": Entry(OLD, (), ("m",))}
    assert decide(Snapshot({}, manifests, {}), untagged=True).manifests == ("z", "m", "a")


def test_manifests_that_name_each_other_do_not_hang_it() -> None:
    manifests = {"a": Entry(OLD, (), ("b",), "b"), "b": Entry(OLD, (), ("a",), "a")}
    assert set(decide(Snapshot({}, manifests, {}), untagged=True).manifests) == {"a", "b"}


names = st.sampled_from("abcdef")
entries = st.builds(
    Entry,
    st.sampled_from([OLD, NEW]),
    st.lists(st.sampled_from("1234"), max_size=3).map(tuple),
    st.lists(names, max_size=2).map(tuple),
    st.sampled_from(["", *"abcdef"]),
)


@given(
    st.builds(
        Snapshot,
        st.dictionaries(st.sampled_from(["v1", "v2", "v3"]), names),
        st.dictionaries(names, entries),
        st.dictionaries(st.sampled_from("1234"), st.sampled_from([OLD, NEW])),
    ),
    st.frozensets(st.sampled_from(["v1", "v2"])),
    st.booleans(),
)
def test_nothing_that_is_left_misses_what_it_had(snapshot: Snapshot, dropped: frozenset[str], untagged: bool) -> None:
    decided = plan(snapshot, dropped=dropped, grace=3600.0, untagged=untagged)
    left = set(snapshot.manifests) - set(decided.manifests)
    for digest in left:
        assert not set(snapshot.manifests[digest].blobs) & set(decided.blobs)
        assert not set(snapshot.manifests[digest].manifests) & set(decided.manifests)
    for tag, digest in snapshot.tags.items():
        if tag not in decided.tags and digest in snapshot.manifests:
            assert digest in left
    assert all(snapshot.blobs[blob] == OLD for blob in decided.blobs)
