from hypothesis import given
from hypothesis import strategies as st

from argosy.storage.gc import unreachable, with_parents
from argosy.storage.leases import Leases

TREE = {"a": None, "b": "a", "c": "b", "d": "b", "e": None}


def test_what_stands_below_a_root_is_kept():
    assert with_parents(["c"], TREE) == {"a", "b", "c"}
    assert unreachable(["c"], TREE) == ["d", "e"]
    assert unreachable(["unknown"], TREE)[-2:] == ["a", "e"]


@given(st.lists(st.integers(-1, 20), max_size=20), st.sets(st.integers(0, 25)))
def test_children_go_before_their_parents(links, roots):
    parents = {str(n): (str(link) if 0 <= link < n else None) for n, link in enumerate(links)}
    gone = unreachable([str(root) for root in roots], parents)
    assert set(gone) | with_parents([str(root) for root in roots], parents) == set(parents)
    for position, chain in enumerate(gone):
        assert parents[chain] not in gone[:position]


def test_a_lease_lasts_until_its_last_holder_is_done():
    leases = Leases()
    with leases.hold("x", "y"):
        with leases.hold("x"):
            pass
        assert leases.held() == {"x", "y"}
    assert leases.held() == frozenset()
