"""Addresses and routes (rtnetlink(7), if_addr.h, rtnetlink.h)."""

import ipaddress
import socket
import struct
from dataclasses import dataclass

from argosy.linux.netlink.codec import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Request, attribute, attributes, u32
from argosy.linux.netlink.socket import NetlinkSocket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26

_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_IFA_F_NODAD, _IFA_F_PERMANENT = 0x02, 0x80
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_TABLE = 1, 4, 5, 6, 7, 15
_RT_TABLE_MAIN = 254
_RTPROT_BOOT = 3
_RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK, _RT_SCOPE_NOWHERE = 0, 253, 255
_RTN_UNICAST = 1

_ADDRESS = struct.Struct("=BBBBi")
_ROUTE = struct.Struct("=BBBBBBBBI")


@dataclass(frozen=True, slots=True)
class Route:
    destination: Network
    gateway: str
    link: int


def _family(address: Address) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _address(kind: int, flags: int, link: int, address: Address, prefix: int, what: str) -> Request:
    parts = [attribute(_IFA_LOCAL, address.packed), attribute(_IFA_ADDRESS, address.packed)]
    if address.version == 4:
        if prefix < 31:
            broadcast = ipaddress.IPv4Network((int(address), prefix), strict=False).broadcast_address
            parts.append(attribute(_IFA_BROADCAST, broadcast.packed))
    else:
        # Duplicate address detection would keep the address unusable for a second; the allocator knows that it is unique.
        parts.append(u32(_IFA_FLAGS, _IFA_F_NODAD | _IFA_F_PERMANENT))
    body = _ADDRESS.pack(_family(address), prefix, 0, 0, link) + b"".join(parts)
    return Request(kind, flags, body, f"{what} {address}/{prefix}")


def add_address(link: int, address: Address, prefix: int) -> Request:
    return _address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, link, address, prefix, "add address")


def delete_address(link: int, address: Address, prefix: int) -> Request:
    return _address(RTM_DELADDR, 0, link, address, prefix, "delete address")


def _route(kind: int, flags: int, destination: Network, gateway: Address | None, link: int, what: str) -> Request:
    parts = []
    if destination.prefixlen:
        parts.append(attribute(_RTA_DST, destination.network_address.packed))
    if gateway is not None:
        parts.append(attribute(_RTA_GATEWAY, gateway.packed))
    if link:
        parts.append(u32(_RTA_OIF, link))
    family = socket.AF_INET if destination.version == 4 else socket.AF_INET6
    if kind == RTM_DELROUTE:
        # "Nowhere" and protocol 0 match any route to that destination (fib_table_delete).
        scope, protocol = _RT_SCOPE_NOWHERE, 0
    else:
        scope = _RT_SCOPE_UNIVERSE if gateway is not None or destination.version == 6 else _RT_SCOPE_LINK
        protocol = _RTPROT_BOOT
    body = _ROUTE.pack(family, destination.prefixlen, 0, 0, _RT_TABLE_MAIN, protocol, scope, _RTN_UNICAST, 0) + b"".join(parts)
    return Request(kind, flags, body, f"{what} {destination}")


def add_route(destination: Network, gateway: Address | None, link: int) -> Request:
    return _route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, destination, gateway, link, "add route")


def replace_route(destination: Network, gateway: Address | None, link: int) -> Request:
    return _route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, destination, gateway, link, "replace route")


def delete_route(destination: Network, gateway: Address | None = None, link: int = 0) -> Request:
    return _route(RTM_DELROUTE, 0, destination, gateway, link, "delete route")


def default_network(version: int) -> Network:
    return ipaddress.IPv4Network("0.0.0.0/0") if version == 4 else ipaddress.IPv6Network("::/0")


def list_addresses(sock: NetlinkSocket) -> list[tuple[int, Address, int]]:
    """Return (link index, address, prefix length) of every address in the socket's namespace."""
    found = []
    for reply in sock.dump(Request(RTM_GETADDR, 0, _ADDRESS.pack(0, 0, 0, 0, 0), "list addresses")):
        _, prefix, _, _, link = _ADDRESS.unpack_from(reply.body)
        parts = attributes(reply.body[_ADDRESS.size :])
        raw = parts.get(_IFA_LOCAL) or parts.get(_IFA_ADDRESS)
        if raw is not None:
            found.append((link, ipaddress.ip_address(bytes(raw)), prefix))
    return found


def list_routes(sock: NetlinkSocket) -> list[Route]:
    """Return the unicast routes of the main table in the socket's namespace."""
    found = []
    for reply in sock.dump(Request(RTM_GETROUTE, 0, _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), "list routes")):
        family, prefix, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(reply.body)
        if table != _RT_TABLE_MAIN or kind != _RTN_UNICAST or family not in (socket.AF_INET, socket.AF_INET6):
            continue
        parts = attributes(reply.body[_ROUTE.size :])
        raw = bytes(parts.get(_RTA_DST, bytes(4 if family == socket.AF_INET else 16)))
        gateway, link = parts.get(_RTA_GATEWAY), parts.get(_RTA_OIF)
        found.append(
            Route(
                ipaddress.ip_network((raw, prefix), strict=False),
                str(ipaddress.ip_address(bytes(gateway))) if gateway else "",
                struct.unpack("=i", link)[0] if link else 0,
            )
        )
    return found
