"""State to nftables text, and back from a listing."""

from argosy.network.firewall import rules
from argosy.network.firewall.rules import BridgeRules, PortRule


def test_table_names_are_the_daemons_own_and_are_identifiers() -> None:
    assert rules.table_name("ab-cd:ef0123456") == "argosy-abcdef01"


def test_a_bridge_is_masqueraded_and_hairpinned_by_subnet() -> None:
    found = rules.bridge_elements(
        BridgeRules("br0", ("10.0.0.0/24", "fd00::/64"), masquerade=("10.0.0.0/24",), snat=(("10.0.0.0/24", "192.0.2.1"),))
    )
    assert found == {
        ("bridges", '"br0"'),
        ("local", '"br0" . "br0"'),
        ("hairpin4", '10.0.0.0/24 . "br0"'),
        ("hairpin6", 'fd00::/64 . "br0"'),
        ("masquerade4", "10.0.0.0/24"),
        ("snat4", "10.0.0.0/24 : 192.0.2.1"),
    }


def test_internal_and_unprotected_bridges_are_listed_as_such() -> None:
    kinds = {kind for kind, _ in rules.bridge_elements(BridgeRules("b", (), internal=True, unprotected=True))}
    assert kinds == {"bridges", "local", "internal", "unprotected"}


def test_a_published_port_is_one_element() -> None:
    assert rules.port_elements(PortRule("tcp", "0.0.0.0", 8080, "10.0.0.2", 80)) == {("any4", "tcp . 8080 : 10.0.0.2 . 80")}
    assert rules.port_elements(PortRule("udp", "192.0.2.1", 53, "10.0.0.2", 53)) == {("host4", "192.0.2.1 . udp . 53 : 10.0.0.2 . 53")}
    assert rules.port_elements(PortRule("tcp", "::", 8080, "fd00::2", 80)) == {("any6", "tcp . 8080 : fd00::2 . 80")}
    assert rules.port_elements(PortRule("tcp", "", 0, "10.0.0.2", 80, direct=True)) == {("direct4", "10.0.0.2 . tcp . 80")}


def test_a_trusted_link_of_the_host_reaches_the_containers_own_address_at_the_published_port() -> None:
    found = rules.port_elements(PortRule("tcp", "0.0.0.0", 8080, "10.0.0.2", 80, trusted=("eth0", "eth1")))
    assert {text for kind, text in found if kind == "trusted4"} == {'"eth0" . 10.0.0.2 . tcp . 80', '"eth1" . 10.0.0.2 . tcp . 80'}


def test_an_allow_list_guards_its_port_and_keeps_to_its_family() -> None:
    found = rules.port_elements(PortRule("tcp", "0.0.0.0", 8080, "10.0.0.2", 80, allow=("192.0.2.0/24", "198.51.100.1/32", "fd00::/8")))
    assert ("guarded4", "10.0.0.2 . tcp . 80") in found
    assert {text for kind, text in found if kind == "allowed4"} == {
        "10.0.0.2 . tcp . 80 . 192.0.2.0/24",
        "10.0.0.2 . tcp . 80 . 198.51.100.1",
    }
    assert not any(kind.endswith("6") for kind, _ in found)


def test_a_change_deletes_keys_first_and_adds_what_is_new_in_one_script() -> None:
    old = rules.port_elements(PortRule("tcp", "0.0.0.0", 80, "10.0.0.2", 80))
    new = rules.port_elements(PortRule("tcp", "0.0.0.0", 80, "10.0.0.3", 80)) | rules.isolated_port("veth1")
    assert rules.change("t", new, old).splitlines() == [
        "delete element inet t any4 { tcp . 80 }",
        "add element inet t any4 { tcp . 80 : 10.0.0.3 . 80 }",
        'add element bridge t isolated { "veth1" }',
    ]
    assert rules.change("t", frozenset(), frozenset()) == ""


def test_the_whole_script_replaces_both_tables_and_guards_loopback_before_anything_else() -> None:
    text = rules.script("t", rules.link_elements("10.0.0.2", "10.0.0.3"))
    assert text.startswith("add table inet t\ndelete table inet t\nadd table bridge t\ndelete table bridge t\n")
    assert text.index('iifname != "lo" ip daddr 127.0.0.0/8 drop') < text.index("chain forward")
    assert "add element bridge t links4 { 10.0.0.2 . 10.0.0.3, 10.0.0.3 . 10.0.0.2 }" in text


def test_a_listing_is_read_as_it_was_written() -> None:
    elements = rules.bridge_elements(BridgeRules("br0", ("10.0.0.0/24",), masquerade=("10.0.0.0/24",))) | rules.port_elements(
        PortRule("tcp", "0.0.0.0", 8080, "10.0.0.2", 80, allow=("192.0.2.1/32",))
    )
    listing = {
        "nftables": [
            {"metainfo": {"version": "1"}},
            {"set": {"name": "bridges", "handle": 3, "elem": ["br0"]}},
            {"set": {"name": "local", "elem": [{"concat": ["br0", "br0"]}]}},
            {"set": {"name": "hairpin4", "elem": [{"concat": [{"prefix": {"addr": "10.0.0.0", "len": 24}}, "br0"]}]}},
            {"set": {"name": "masquerade4", "elem": [{"prefix": {"addr": "10.0.0.0", "len": 24}}]}},
            {"map": {"name": "any4", "elem": [[{"concat": ["tcp", 8080]}, {"concat": ["10.0.0.2", 80]}]]}},
            {"set": {"name": "guarded4", "elem": [{"concat": ["10.0.0.2", "tcp", 80]}]}},
            {"set": {"name": "allowed4", "elem": [{"concat": ["10.0.0.2", "tcp", 80, "192.0.2.1"]}]}},
        ]
    }
    assert rules.found_elements(listing) == rules.unquoted(elements)


def test_a_protocol_listed_by_number_is_the_same_and_a_port_of_that_number_stays_one() -> None:
    listing = {
        "nftables": [
            {
                "map": {
                    "name": "any4",
                    "type": ["inet_proto", "inet_service"],
                    "map": "ipv4_addr . inet_service",
                    "elem": [[{"concat": [6, 17]}, {"concat": ["10.0.0.2", 6]}]],
                }
            },
            {
                "set": {
                    "name": "guarded4",
                    "type": ["ipv4_addr", "inet_proto", "inet_service"],
                    "elem": [{"elem": {"val": {"concat": ["10.0.0.2", "17", 132]}}}],
                }
            },
        ]
    }
    assert rules.found_elements(listing) == {("any4", "tcp . 17 : 10.0.0.2 . 6"), ("guarded4", "10.0.0.2 . udp . 132")}


def test_the_skeleton_sees_rules_and_not_handles_or_elements() -> None:
    one = {"nftables": [{"rule": {"handle": 4, "expr": [1]}}, {"set": {"name": "x", "handle": 1, "elem": [1]}}]}
    same = {"nftables": [{"metainfo": {}}, {"rule": {"handle": 9, "expr": [1]}}, {"set": {"name": "x", "handle": 2}}]}
    other = {"nftables": [{"rule": {"handle": 4, "expr": [2]}}, {"set": {"name": "x"}}]}
    assert rules.skeleton(one) == rules.skeleton(same) != rules.skeleton(other)
