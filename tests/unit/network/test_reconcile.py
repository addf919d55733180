"""The difference between the links that are and those that should be."""

from argosy.linux.netlink.link import Link
from argosy.network import reconcile

OWN = "argosy:me"


def link(index: int, name: str, *, alias: str = OWN, master: int = 0, kind: str = "veth") -> Link:
    return Link(index, name, kind, alias, "", 1500, master, True, False)


def test_only_links_of_our_own_that_nothing_wants_are_deleted() -> None:
    found = [
        link(1, "eth0", alias=""),
        link(2, "stale"),
        link(3, "theirs", alias="argosy:other"),
        link(4, "br0", kind="bridge"),
        link(5, "young"),
    ]
    difference = reconcile.decide(found, OWN, {}, {"br0": True}, ["young"])
    assert difference.delete == ("stale",)
    assert difference.missing == frozenset()


def test_missing_bridges_of_our_own_are_reported_and_orphans_find_their_bridge() -> None:
    found = [link(4, "br0", kind="bridge"), link(6, "v1", master=4), link(7, "v2"), link(8, "v3", master=9)]
    difference = reconcile.decide(
        found, OWN, {"v1": "br0", "v2": "br0", "v3": "gone", "v4": "br0"}, {"br0": True, "gone": True, "foreign": False}, []
    )
    assert difference.missing == {"gone"}
    assert difference.enslave == (("v2", "br0"),)
    assert difference.delete == ()
