"""From a request to subnets, gateways and a record."""

import pytest

from argosy.base.errors import ArgosyError, SystemFailureError
from argosy.network import design
from argosy.network.ipam import Subnets
from argosy.network.model import NetworkCreate
from argosy.network.record import PoolRecord
from argosy.network.settings import DEFAULT_POOLS


def choose(*config: dict[str, object], gateways: bool = True, **more: bool) -> tuple[tuple[PoolRecord, ...], Subnets]:
    subnets = Subnets(DEFAULT_POOLS, "seed")
    request = NetworkCreate(name="n", ipam_config=config, **more)
    return design.choose_pools(request, subnets, (), gateways=lambda _: gateways)[0], subnets


def test_the_gateway_is_the_first_address_of_the_range() -> None:
    (pool,), _ = choose({"Subnet": "10.0.0.0/16", "IPRange": "10.0.5.0/24"})
    assert pool.gateway == "10.0.5.0"
    (pool,), _ = choose({"Subnet": "10.0.0.0/16"})
    assert pool.gateway == "10.0.0.1"


def test_an_isolated_network_spends_no_address_on_a_gateway() -> None:
    (pool,), _ = choose({"Subnet": "10.0.0.0/16"}, gateways=False)
    assert pool.gateway == ""


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"Gateway": "10.0.0.0"}, r"failed to allocate gateway \(10.0.0.0\): Address already in use"),
        ({"Gateway": "10.0.0.255"}, r"failed to allocate gateway \(10.0.0.255\): Address already in use"),
        (
            {"Gateway": "10.0.0.1", "AuxiliaryAddresses": {"a": "10.0.0.1"}},
            r"failed to allocate secondary ip address \(a:10.0.0.1\): Address already in use",
        ),
        ({"AuxiliaryAddresses": {"a": "10.0.0.255"}}, r"failed to allocate secondary ip address \(a:10.0.0.255\)"),
    ],
)
def test_addresses_that_nobody_can_have_are_refused_and_the_subnet_stays_free(entry: dict[str, object], words: str) -> None:
    subnets = Subnets(DEFAULT_POOLS, "seed")
    request = NetworkCreate(name="n", ipam_config=({"Subnet": "10.0.0.0/24", **entry},))
    with pytest.raises(SystemFailureError, match=words):
        design.choose_pools(request, subnets, (), gateways=lambda _: True)
    design.choose_pools(NetworkCreate(name="n", ipam_config=({"Subnet": "10.0.0.0/24"},)), subnets, (), gateways=lambda _: True)


def test_a_second_network_gets_another_subnet_and_ipv6_one_of_our_own_prefix() -> None:
    (four, six), subnets = choose(enable_ipv6=True)
    assert four.subnet == "172.17.0.0/16"
    assert six.subnet.startswith("fd")
    assert six.subnet.endswith("/64")
    again, _ = design.choose_pools(NetworkCreate(name="m"), subnets, (), gateways=lambda _: True)
    assert again[0].subnet == "172.18.0.0/16"
    with pytest.raises(ArgosyError, match="Pool overlaps"):
        taken = NetworkCreate(name="o", ipam_config=({"Subnet": "172.18.4.0/24"},))
        design.choose_pools(taken, subnets, (), gateways=lambda _: True)
