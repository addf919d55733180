"""``network create``: subnets with their ranges, gateways and reserved addresses (docker/cli network/create.go, consolidateIpam)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def ipam_config(
    subnets: Sequence[str], ranges: Sequence[str], gateways: Sequence[str], auxiliary: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the API's IPAM Config; raises ValueError in docker's words."""
    if len(subnets) < len(ranges) or len(subnets) < len(gateways):
        raise ValueError("every ip-range or gateway must have a corresponding subnet")
    import ipaddress

    nets: dict[str, ipaddress.IPv4Network | ipaddress.IPv6Network] = {}
    out: dict[str, dict[str, Any]] = {}
    for subnet in subnets:
        try:
            net = ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            raise ValueError(f"invalid CIDR address: {subnet}") from None
        if any(net.version == other.version and net.overlaps(other) for other in nets.values()):
            raise ValueError("multiple overlapping subnet configuration is not supported")
        nets[subnet] = net
        out[subnet] = {"Subnet": subnet}
    for text in ranges:
        subnet = _home(nets, text.partition("/")[0], f"no matching subnet for range {text}")
        if "IPRange" in out[subnet]:
            raise ValueError(f"cannot configure multiple ranges ({text}, {out[subnet]['IPRange']}) on the same subnet ({subnet})")
        out[subnet]["IPRange"] = text
    for text in gateways:
        subnet = _home(nets, text, f"no matching subnet for gateway {text}")
        if "Gateway" in out[subnet]:
            raise ValueError(f"cannot configure multiple gateways ({text}, {out[subnet]['Gateway']}) for the same subnet ({subnet})")
        out[subnet]["Gateway"] = text
    for name, text in auxiliary.items():
        subnet = _home(nets, text, f"no matching subnet for aux-address {text}")
        out[subnet].setdefault("AuxiliaryAddresses", {})[name] = text
    return list(out.values())


def _home(nets: Mapping[str, Any], text: str, complaint: str) -> str:
    import ipaddress

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"invalid IP address: {text}") from None
    for subnet, net in nets.items():
        if address.version == net.version and address in net:
            return subnet
    raise ValueError(complaint)
