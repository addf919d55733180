"""The bridge driver: the link, its addresses and settings; runs in the kernel thread."""

import ipaddress
import os
from dataclasses import dataclass

from argosy.base.errors import ConflictError
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import address as addresses
from argosy.linux.netlink import link as links
from argosy.network import sysctl


@dataclass(frozen=True, slots=True)
class BridgePlan:
    name: str
    alias: str
    mtu: int
    addresses: tuple[str, ...]
    """The gateways, with prefix length."""
    ipv6: bool
    owned: bool = True
    """False: somebody else's bridge that we only use."""


def random_mac() -> str:
    """Return a random locally administered unicast address (IEEE 802 bits of the first byte)."""
    raw = bytearray(os.urandom(6))
    raw[0] = (raw[0] & 0xFE) | 0x02
    return raw.hex(":")


def ensure(host: NetlinkSocket, plan: BridgePlan) -> None:
    """Make the bridge, or make an existing one of ours right. Raises NetlinkError, ConflictError; nothing new is left then."""
    found = links.find_link(host, plan.name)
    if found is not None and plan.owned and found.alias != plan.alias:
        raise ConflictError(f"a network link named {plan.name} exists already and is not ours")
    if found is not None and not plan.owned:
        if not found.up:
            host.run([links.change_link(plan.name, up=True)])
        return
    made = found is None
    try:
        if made:
            host.run(
                [
                    links.add_bridge(plan.name, random_mac(), plan.mtu),
                    links.change_link(plan.name, alias=plan.alias, no_link_local=not plan.ipv6),
                ]
            )
            found = links.find_link(host, plan.name)
        assert found is not None
        if plan.ipv6:
            sysctl.write(f"ipv6/conf/{plan.name}/disable_ipv6", "0")
            sysctl.write(f"ipv6/conf/{plan.name}/accept_ra", "0")
            # Neighbours of forwarded packets are asked for under the link-local address, and not at all for the second or two
            # in which that address is being checked for duplicates. It comes from a random MAC: there are none.
            sysctl.write(f"ipv6/conf/{plan.name}/dad_transmits", "0")
        _address(host, found.index, plan)
        host.run([links.change_link(index=found.index, up=True)])
    except BaseException:
        if made:
            remove(host, plan.name, plan.alias)
        raise


def _address(host: NetlinkSocket, index: int, plan: BridgePlan) -> None:
    wanted = {(interface.ip, interface.network.prefixlen) for interface in map(ipaddress.ip_interface, plan.addresses)}
    present = {(address, prefix) for link, address, prefix in addresses.list_addresses(host) if link == index and not address.is_link_local}
    requests = [addresses.delete_address(index, *old) for old in present - wanted]
    requests += [addresses.add_address(index, *new) for new in sorted(wanted - present, key=str)]
    if requests:
        host.run(requests)


def allow_loopback(name: str) -> None:
    """Let published ports work on 127.0.0.1. Only after our table drops what comes in for 127.0.0.0/8."""
    sysctl.write(f"ipv4/conf/{name}/route_localnet", "1")


def strip(host: NetlinkSocket, name: str, alias: str) -> None:
    """Take the addresses, and so the routes, off a bridge that is about to go: its subnet is free again at once."""
    found = links.find_link(host, name)
    if found is None or found.alias != alias:
        return
    gone = [
        addresses.delete_address(index, address, prefix)
        for index, address, prefix in addresses.list_addresses(host)
        if index == found.index
    ]
    if gone:
        host.run(gone)


def remove(host: NetlinkSocket, name: str, alias: str) -> None:
    """Delete the bridge if it is ours; absent is fine. Takes tens of milliseconds."""
    found = links.find_link(host, name)
    if found is not None and found.alias == alias:
        host.run([links.delete_link(index=found.index)])
