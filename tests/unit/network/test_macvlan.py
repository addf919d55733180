"""Options of macvlan and ipvlan networks, in Docker's words."""

import pytest

from argosy.base.errors import SystemFailureError
from argosy.network.drivers import macvlan


def test_a_vlan_is_named_by_its_parent_and_number() -> None:
    assert macvlan.vlan("eth0.10") == ("eth0", 10)
    assert macvlan.vlan("bond0.a.4094") == ("bond0.a", 4094)


@pytest.mark.parametrize(
    ("parent", "words"),
    [
        ("eth0", "invalid subinterface vlan name eth0, example formatting is eth0.10"),
        ("eth0.x", r"unable to parse a valid vlan id from: x \(ex. eth0.10 for vlan 10\)"),
        ("eth0.0", "vlan id must be between 1-4094, received: 0"),
        ("eth0.99999", "vlan id must be between 1-4094, received: 99999"),
    ],
)
def test_what_is_no_vlan_is_refused(parent: str, words: str) -> None:
    with pytest.raises(SystemFailureError, match=words):
        macvlan.vlan(parent)


def test_modes_and_flags_have_dockers_defaults_and_words() -> None:
    assert (macvlan.mode("macvlan", {}), macvlan.mode("ipvlan", {}), macvlan.flag({})) == ("bridge", "l2", "bridge")
    with pytest.raises(SystemFailureError, match="requested macvlan mode 'l2' is not valid, 'bridge' mode is the macvlan driver default"):
        macvlan.mode("macvlan", {"macvlan_mode": "l2"})
    with pytest.raises(SystemFailureError, match="requested ipvlan flag 'x' is not valid"):
        macvlan.flag({"ipvlan_flag": "x"})
    assert macvlan.routed("ipvlan", {"ipvlan_mode": "l3"})
    assert not macvlan.routed("ipvlan", {})
    assert not macvlan.routed("macvlan", {})
