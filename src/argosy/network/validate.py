"""What a request for a network may say, checked before anything is made; Docker's words (moby `api/types/network/ipam.go`)."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from argosy.base.errors import InvalidParameterError

Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


def ipam_config(config: Sequence[Mapping[str, Any]], *, ipv6: bool) -> None:
    """Raise InvalidParameterError ``invalid network config:`` with every fault, a line each."""
    faults: list[str] = []
    for entry in config:
        faults.extend(_entry(entry))
    if len(faults) == 1:
        raise InvalidParameterError(f"invalid network config:\n{faults[0]}")
    if faults:
        raise InvalidParameterError("invalid network config:\n" + "\n".join(f"* {fault}" for fault in faults))


def _entry(entry: Mapping[str, Any]) -> list[str]:
    text = str(entry.get("Subnet") or "")
    try:
        if "/" not in text:
            raise ValueError
        subnet = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return [f"invalid subnet {text}: invalid CIDR block notation"]
    faults = []
    if ipaddress.ip_interface(text).ip != subnet.network_address:
        faults.append(f"invalid subnet {text}: it should be {subnet}")
    if entry.get("IPRange"):
        faults.extend(_range(str(entry["IPRange"]), subnet))
    if entry.get("Gateway"):
        faults.extend(_inside(f"invalid gateway {entry['Gateway']}", str(entry["Gateway"]), subnet))
    for name, address in (entry.get("AuxiliaryAddresses") or entry.get("AuxAddress") or {}).items():
        faults.extend(_inside(f"invalid auxiliary address {name}", str(address), subnet))
    return faults


def _range(text: str, subnet: Subnet) -> list[str]:
    try:
        if "/" not in text:
            raise ValueError
        inner = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return [f"invalid ip-range {text}: invalid CIDR block notation"]
    if inner.version == subnet.version and inner.prefixlen < subnet.prefixlen:
        return [f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {subnet}"]
    if inner.version != subnet.version or inner.network_address not in subnet:
        return [f"invalid ip-range {text}: parent subnet {subnet} doesn't contain ip-range"]
    if ipaddress.ip_interface(text).ip != inner.network_address:
        return [f"invalid ip-range {text}: it should be {inner}"]
    return []


def _inside(what: str, text: str, subnet: Subnet) -> list[str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return [f"{what}: invalid address"]
    if address not in subnet:
        return [f"{what}: parent subnet {subnet} doesn't contain this address"]
    return []
