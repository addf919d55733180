"""Who is answered what."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.network.dns import message
from argosy.network.dns.answer import View, answer
from argosy.network.dns.message import AAAA, ANY, PTR, A
from argosy.network.dns.names import Member, Names, reversed_address


def known() -> Names:
    names = Names()
    names.join("n1", "net", Member("c1", ["web", "www", "c1short"], "10.0.0.2", "fd00::2"))
    names.join("n1", "net", Member("c2", ["db", "app"], "10.0.0.3", ""))
    names.join("n1", "net", Member("c3", ["db2", "app"], "10.0.0.4", ""))
    names.join("n2", "other", Member("c4", ["far"], "10.1.0.2", ""))
    return names


def ask(
    names: Names, name: str, kind: int = A, networks: tuple[str, ...] = ("n1",), links: dict[str, str] | None = None
) -> list[bytes] | None:
    view = View(list(networks), links or {}, "10.0.0.1", "")
    data = answer(message.parse_query(message.query(1, name, kind)), names, view, 512)
    return None if data is None else [value for _, _, value in message.answers(data)]


@pytest.mark.parametrize("name", ["web", "WWW", "c1short", "web.net", "web."])
def test_names_aliases_and_qualified_names_lead_to_the_container(name: str) -> None:
    assert ask(known(), name) == [b"\x0a\0\0\x02"]


def test_a_missing_kind_of_address_is_an_empty_answer_and_not_a_question_to_the_outside() -> None:
    assert ask(known(), "db", AAAA) == []
    assert ask(known(), "db", 15) == []
    assert ask(known(), "unknown", AAAA) is None


def test_any_kind_and_ipv6() -> None:
    assert len(ask(known(), "web", ANY) or []) == 2
    assert ask(known(), "web", AAAA) == [b"\xfd" + bytes(14) + b"\x02"]


def test_shared_aliases_come_in_turn() -> None:
    names = known()
    firsts = {next(iter(ask(names, "app") or [])) for _ in range(4)}
    assert firsts == {b"\x0a\0\0\x03", b"\x0a\0\0\x04"}


def test_other_networks_are_not_seen() -> None:
    assert ask(known(), "far") is None
    assert ask(known(), "far", networks=("n1", "n2")) == [b"\x0a\x01\0\x02"]


def test_links_stand_for_names() -> None:
    assert ask(known(), "store", links={"store": "db"}) == [b"\x0a\0\0\x03"]
    assert ask(known(), "store") is None


def test_the_host_has_a_name() -> None:
    assert ask(known(), "host.docker.internal") == [b"\x0a\0\0\x01"]
    assert ask(known(), "host.docker.internal", AAAA) == []


def test_reverse_names() -> None:
    assert ask(known(), "2.0.0.10.in-addr.arpa", PTR) == [b"web.net"]
    assert ask(known(), "2.0.1.10.in-addr.arpa", PTR) is None
    assert ask(known(), "x.in-addr.arpa", PTR) is None


def test_who_left_is_not_answered() -> None:
    names = known()
    names.leave("n1", "c2")
    assert ask(names, "app") == [b"\x0a\0\0\x04"]
    names.forget("c3")
    assert ask(names, "app") is None
    assert ask(names, "db") is None


@given(
    st.lists(
        st.tuples(st.sampled_from("jl"), st.sampled_from(["a", "b", "c"]), st.sampled_from(["n1", "n2"]), st.sampled_from("xyz")),
        max_size=30,
    )
)
def test_the_index_always_agrees_with_the_members(steps: list[tuple[str, str, str, str]]) -> None:
    names = Names()
    model: dict[tuple[str, str], str] = {}
    for act, id, network, name in steps:
        if act == "j":
            names.join(network, network, Member(id, [name], "10.0.0.1", ""))
            model[network, id] = name
        else:
            names.leave(network, id)
            model.pop((network, id), None)
        for asked in "xyz":
            found = names.lookup(["n1"], {}, asked) or []
            assert {member.id for member in found} == {one for (net, one), called in model.items() if net == "n1" and called == asked}


@given(st.ip_addresses())
def test_reversed_addresses_are_read_back(address: object) -> None:
    found = reversed_address(address.reverse_pointer)  # type: ignore[attr-defined]
    assert found is not None and ipaddress.ip_address(found) == address


@pytest.mark.parametrize(
    "name", ["", "arpa", "1.2.3.in-addr.arpa", "300.1.1.1.in-addr.arpa", "g." * 32 + "ip6.arpa", "ab." * 32 + "ip6.arpa"]
)
def test_other_names_are_no_addresses(name: str) -> None:
    assert reversed_address(name) is None
