"""Addresses and subnets."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import ForbiddenError, InvalidParameterError
from argosy.network.ipam import Pool, Subnets
from argosy.network.settings import DEFAULT_POOLS, AddressPool

net = ipaddress.ip_network
addr = ipaddress.ip_address


def test_the_gateway_is_the_first_address_and_containers_get_the_next() -> None:
    pool = Pool(net("10.0.0.0/29"))
    assert pool.choose_gateway() == addr("10.0.0.1")
    assert [str(pool.allocate()) for _ in range(6)] == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "None"]


def test_the_lowest_free_address_comes_back_first() -> None:
    pool = Pool(net("10.0.0.0/24"), gateway=addr("10.0.0.1"))
    given_out = [pool.allocate() for _ in range(5)]
    pool.release(given_out[3])  # type: ignore[arg-type]
    pool.release(given_out[1])  # type: ignore[arg-type]
    assert [pool.allocate(), pool.allocate(), pool.allocate()] == [given_out[1], given_out[3], addr("10.0.0.7")]


def test_ranges_gateways_and_auxiliary_addresses_are_kept_free() -> None:
    pool = Pool(net("10.0.0.0/24"), net("10.0.0.128/30"), addr("10.0.0.9"), frozenset({addr("10.0.0.129")}))
    assert [str(pool.allocate()) for _ in range(4)] == ["10.0.0.128", "10.0.0.130", "10.0.0.131", "None"]
    assert not pool.take(addr("10.0.0.9"))
    assert not pool.take(addr("10.0.0.0"))
    assert not pool.take(addr("10.0.0.255"))
    assert pool.take(addr("10.0.0.77"))
    pool.release(addr("10.0.0.9"))
    pool.release(addr("10.0.0.129"))
    assert not pool.take(addr("10.0.0.9")) and not pool.take(addr("10.0.0.129"))


def test_ipv6_pools_have_no_broadcast() -> None:
    pool = Pool(net("fd00::/126"))
    assert [str(pool.allocate()) for _ in range(4)] == ["fd00::1", "fd00::2", "fd00::3", "None"]


@given(st.lists(st.one_of(st.just(-1), st.integers(0, 40), st.integers(100, 140)), max_size=80))
def test_no_address_is_ever_held_twice(steps: list[int]) -> None:
    pool = Pool(net("10.0.0.0/27"), gateway=addr("10.0.0.1"))
    held: set[object] = set()
    for step in steps:
        if step == -1:
            got = pool.allocate()
            if got is None:
                assert len(held) == 29
                continue
            assert got not in held
            held.add(got)
        elif step >= 100:
            victim = addr("10.0.0.0") + step - 100
            pool.release(victim)
            held.discard(victim)
        else:
            wanted = addr("10.0.0.0") + step
            taken = pool.take(wanted)
            if wanted in net("10.0.0.0/27"):
                assert taken == (wanted not in held and step not in (0, 1, 31))
            if taken:
                held.add(wanted)
        assert pool.free() == 32 - 3 - sum(1 for one in held if one in net("10.0.0.0/27"))


def test_default_pools_come_in_dockers_order_and_skip_what_the_host_has() -> None:
    subnets = Subnets(DEFAULT_POOLS, "seed")
    host = [net("172.18.0.0/24"), net("0.0.0.0/0"), net("10.0.0.0/8")]
    assert [str(subnets.choose(4, host)) for _ in range(3)] == ["172.17.0.0/16", "172.19.0.0/16", "172.20.0.0/16"]


def test_exhausted_and_overlapping_pools_are_refused_in_dockers_words() -> None:
    subnets = Subnets([AddressPool("10.0.0.0/24", 25)], "seed")
    first, second = subnets.choose(4, ()), subnets.choose(4, ())
    with pytest.raises(InvalidParameterError, match="all predefined address pools have been fully subnetted"):
        subnets.choose(4, ())
    with pytest.raises(ForbiddenError, match="Pool overlaps with other one on this address space"):
        subnets.request(net("10.0.0.0/8"))
    subnets.release(second)
    assert subnets.choose(4, ()) == second != first


def test_ipv6_subnets_come_from_a_local_prefix_that_stays_the_same() -> None:
    one, two = Subnets(DEFAULT_POOLS, "a"), Subnets(DEFAULT_POOLS, "b")
    first = one.choose(6, ())
    assert first.prefixlen == 64 and str(first).startswith("fd")
    assert Subnets(DEFAULT_POOLS, "a").choose(6, ()) == first != two.choose(6, ())
    assert one.choose(6, ()) != first
