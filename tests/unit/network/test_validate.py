"""Docker's words for what is wrong with a network that is asked for."""

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.network import validate


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"Subnet": "10.300.0.0/16"}, "invalid subnet 10.300.0.0/16: invalid CIDR block notation"),
        ({"Subnet": "10.77.0.5/24"}, "invalid subnet 10.77.0.5/24: it should be 10.77.0.0/24"),
        ({"Gateway": "10.78.0.1"}, "invalid subnet : invalid CIDR block notation"),
        (
            {"Subnet": "10.77.0.0/24", "Gateway": "10.78.0.1"},
            "invalid gateway 10.78.0.1: parent subnet 10.77.0.0/24 doesn't contain this address",
        ),
        ({"Subnet": "10.77.0.0/24", "Gateway": "xx"}, "invalid gateway xx: invalid address"),
        (
            {"Subnet": "10.77.0.0/24", "IPRange": "10.78.0.0/25"},
            "invalid ip-range 10.78.0.0/25: parent subnet 10.77.0.0/24 doesn't contain ip-range",
        ),
        (
            {"Subnet": "10.77.0.0/24", "IPRange": "10.77.0.0/16"},
            "invalid ip-range 10.77.0.0/16: CIDR block is bigger than its parent subnet 10.77.0.0/24",
        ),
        ({"Subnet": "10.77.0.0/24", "IPRange": "zz"}, "invalid ip-range zz: invalid CIDR block notation"),
        (
            {"Subnet": "10.77.0.0/24", "AuxiliaryAddresses": {"a": "10.99.0.1"}},
            "invalid auxiliary address a: parent subnet 10.77.0.0/24 doesn't contain this address",
        ),
    ],
)
def test_one_fault_is_named(entry: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        validate.ipam_config([entry], ipv6=False)
    assert str(caught.value) == f"invalid network config:\n{fault}"


def test_several_faults_are_listed() -> None:
    with pytest.raises(InvalidParameterError, match=r"(?s)config:\n\* invalid subnet x.*\n\* invalid subnet y"):
        validate.ipam_config([{"Subnet": "x"}, {"Subnet": "y"}], ipv6=False)


def test_good_configurations_pass() -> None:
    validate.ipam_config(
        [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.9", "IPRange": "10.77.0.128/25"}, {"Subnet": "fd01::/64"}], ipv6=True
    )
