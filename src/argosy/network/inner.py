"""Which link inside a container is an endpoint's."""

import ipaddress

from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import address as addresses
from argosy.linux.netlink import link as links
from argosy.linux.netlink.link import Link
from argosy.network.model import Endpoint


def own_link(inner: NetlinkSocket, endpoint: Endpoint) -> Link | None:
    """Return the endpoint's link in the namespace of ``inner``: by its hardware address, on ipvlan (all have the parent's) by its own."""
    found = links.list_links(inner)
    if endpoint.mac_address:
        return next((link for link in found if link.mac == endpoint.mac_address), None)
    index = link_with_address(inner, endpoint.ip_address or endpoint.global_ipv6_address)
    return next((link for link in found if link.index == index), None)


def link_with_address(inner: NetlinkSocket, text: str) -> int:
    """Return the index of the link that has this address, 0 without one."""
    if not text:
        return 0
    wanted = ipaddress.ip_address(text)
    return next((link for link, address, _ in addresses.list_addresses(inner) if address == wanted), 0)
