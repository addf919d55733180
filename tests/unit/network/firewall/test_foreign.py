"""Which chains of others would drop our packets, and the rules that keep them from it."""

from typing import Any

from argosy.network.firewall import foreign

TAG = "argosy-12345678"


def chain(table: str, name: str, *, policy: str = "accept", hook: str | None = "forward", family: str = "inet") -> dict[str, Any]:
    body: dict[str, Any] = {"family": family, "table": table, "name": name}
    if hook:
        body |= {"hook": hook, "type": "filter", "policy": policy}
    return {"chain": body}


def rule(table: str, name: str, handle: int, *expressions: dict[str, Any], comment: str = "", family: str = "inet") -> dict[str, Any]:
    return {"rule": {"family": family, "table": table, "chain": name, "handle": handle, "comment": comment, "expr": list(expressions)}}


def listing(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"nftables": list(entries)}


def own(table: str, name: str, handle: int, key: str, bridge: str) -> dict[str, Any]:
    match = {"match": {"op": "==", "left": {"meta": {"key": key}}, "right": bridge}}
    return rule(table, name, handle, match, {"accept": None}, comment=TAG)


DROP, REJECT, COUNTER = {"drop": None}, {"reject": {}}, {"counter": {}}
MATCH = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}


def test_accepting_chains_and_other_hooks_are_left_alone() -> None:
    found = listing(chain("f", "forward"), chain("f", "input", policy="drop", hook="input"), rule("f", "forward", 3, MATCH, DROP))
    assert foreign.adjust(found, TAG, ["br0"]) == ""


def test_a_dropping_policy_gets_rules_at_the_end() -> None:
    found = listing(chain("f", "forward", policy="drop"), rule("f", "forward", 3, MATCH, DROP))
    assert foreign.adjust(found, TAG, ["br1", "br0"]).splitlines() == [
        f'add rule inet f forward iifname "br0" accept comment "{TAG}"',
        f'add rule inet f forward oifname "br0" accept comment "{TAG}"',
        f'add rule inet f forward iifname "br1" accept comment "{TAG}"',
        f'add rule inet f forward oifname "br1" accept comment "{TAG}"',
    ]


def test_a_final_reject_gets_them_before_it_also_behind_jumps() -> None:
    found = listing(
        chain("filter", "FORWARD", family="ip"),
        chain("filter", "ufw-reject-forward", hook=None, family="ip"),
        rule("filter", "FORWARD", 5, COUNTER, {"jump": {"target": "ufw-reject-forward"}}, family="ip"),
        rule("filter", "ufw-reject-forward", 6, COUNTER, REJECT, family="ip"),
    )
    assert foreign.adjust(found, TAG, ["br0"]).splitlines()[0].startswith("insert rule ip filter FORWARD position 5 ")


def test_a_conditional_jump_to_a_black_list_is_no_final_drop_except_with_firewalld() -> None:
    def found(table: str) -> dict[str, Any]:
        return listing(
            chain(table, "forward"),
            chain(table, "zone", hook=None),
            rule(table, "forward", 5, MATCH, {"goto": {"target": "zone"}}),
            rule(table, "zone", 6, REJECT),
        )

    assert foreign.adjust(found("mine"), TAG, ["br0"]) == ""
    assert "position 5" in foreign.adjust(found("firewalld"), TAG, ["br0"])


def test_what_is_right_stays_and_what_is_stale_goes() -> None:
    right = [own("f", "forward", 7, "iifname", "br0"), own("f", "forward", 8, "oifname", "br0")]
    found = listing(chain("f", "forward", policy="drop"), *right)
    assert foreign.adjust(found, TAG, ["br0"]) == ""
    assert foreign.adjust(found, TAG, []).splitlines() == ["delete rule inet f forward handle 7", "delete rule inet f forward handle 8"]
    accepting = listing(chain("f", "forward"), *right)
    assert foreign.adjust(accepting, TAG, ["br0"]).count("delete") == 2


def test_rules_that_fell_behind_the_drop_are_moved_before_it() -> None:
    late = [own("f", "forward", 7, "iifname", "br0"), own("f", "forward", 8, "oifname", "br0")]
    found = listing(chain("f", "forward"), rule("f", "forward", 3, DROP), *late)
    script = foreign.adjust(found, TAG, ["br0"])
    assert script.count("delete rule") == 2 and script.count("position 3") == 2


def test_other_daemons_marks_and_tables_are_theirs() -> None:
    other = rule("f", "forward", 9, {"accept": None}, comment="argosy-other")
    found = listing(chain("argosy-other", "forward", policy="drop"), chain("f", "forward"), other)
    assert foreign.adjust(found, TAG, ["br0"]) == ""


def test_chains_that_jump_in_a_circle_end() -> None:
    found = listing(
        chain("f", "forward"),
        chain("f", "a", hook=None),
        rule("f", "forward", 1, {"jump": {"target": "a"}}),
        rule("f", "a", 2, {"jump": {"target": "a"}}),
    )
    assert foreign.adjust(found, TAG, ["br0"]) == ""
