"""Links: requests that make, change and remove them, and what the kernel tells of them (rtnetlink(7), if_link.h)."""

import struct
from dataclasses import dataclass

from argosy.linux.netlink.codec import NLM_F_CREATE, NLM_F_EXCL, Reply, Request, attribute, attributes, nested, string, text, u8, u16, u32
from argosy.linux.netlink.socket import NetlinkError, NetlinkSocket

RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_GETLINK = 18
RTM_SETLINK = 19

IFF_UP = 0x1
IFF_LOOPBACK = 0x8

_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_MTU = 4
_IFLA_LINK = 5
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_IFALIAS = 20
_IFLA_AF_SPEC = 26
_IFLA_NET_NS_FD = 28
_IFLA_EXT_MASK = 29
_IFLA_INFO_KIND = 1
_IFLA_INFO_DATA = 2
_IFLA_INFO_SLAVE_KIND = 4
_IFLA_INFO_SLAVE_DATA = 5
_IFLA_BRPORT_MODE = 4
_VETH_INFO_PEER = 1
_IFLA_BR_FORWARD_DELAY = 1
_IFLA_BR_STP_STATE = 5
_IFLA_MACVLAN_MODE = 1
_IFLA_IPVLAN_MODE, _IFLA_IPVLAN_FLAGS = 1, 2
_IFLA_VLAN_ID = 1
_IFLA_INET6_ADDR_GEN_MODE = 8
_IN6_ADDR_GEN_MODE_NONE = 1
_AF_UNSPEC, _AF_INET6 = 0, 10
_RTEXT_FILTER_SKIP_STATS = 1 << 3

MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}

_INFO = struct.Struct("=BxHiII")


@dataclass(frozen=True, slots=True)
class Link:
    index: int
    name: str
    kind: str
    """``bridge``, ``veth``, …; empty for hardware."""
    alias: str
    mac: str
    mtu: int
    master: int
    up: bool
    loopback: bool


def _info(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return _INFO.pack(_AF_UNSPEC, 0, index, flags, change)


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _common(name: str, mac: str, mtu: int, netns_fd: int | None = None) -> bytes:
    parts = [text(_IFLA_IFNAME, name)]
    if mac:
        parts.append(attribute(_IFLA_ADDRESS, mac_bytes(mac)))
    if mtu:
        parts.append(u32(_IFLA_MTU, mtu))
    if netns_fd is not None:
        parts.append(u32(_IFLA_NET_NS_FD, netns_fd))
    return b"".join(parts)


def _new(name: str, kind: str, common: bytes, data: bytes, extra: bytes = b"") -> Request:
    parts = [text(_IFLA_INFO_KIND, kind)]
    if data:
        parts.append(nested(_IFLA_INFO_DATA, data))
    body = _info() + common + extra + nested(_IFLA_LINKINFO, *parts)
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body, f"add {kind} {name}")


def add_bridge(name: str, mac: str, mtu: int = 0) -> Request:
    """A bridge with an address of its own: without one it takes, and changes with, the lowest of its ports'."""
    data = u32(_IFLA_BR_FORWARD_DELAY, 0) + u32(_IFLA_BR_STP_STATE, 0)
    return _new(name, "bridge", _common(name, mac, mtu), data)


def add_veth(name: str, mtu: int, peer: str, peer_mac: str, peer_netns: int) -> Request:
    """A pair whose peer is born in the namespace of ``peer_netns``: no move, no rename."""
    inner = _info() + _common(peer, peer_mac, mtu, peer_netns)
    return _new(name, "veth", _common(name, "", mtu), attribute(_VETH_INFO_PEER, inner))


def add_macvlan(name: str, parent: int, mode: str, mac: str, mtu: int, netns_fd: int) -> Request:
    return _new(name, "macvlan", _common(name, mac, mtu, netns_fd), u32(_IFLA_MACVLAN_MODE, MACVLAN_MODES[mode]), u32(_IFLA_LINK, parent))


def add_ipvlan(name: str, parent: int, mode: str, flag: str, mtu: int, netns_fd: int) -> Request:
    data = u16(_IFLA_IPVLAN_MODE, IPVLAN_MODES[mode]) + u16(_IFLA_IPVLAN_FLAGS, IPVLAN_FLAGS[flag])
    return _new(name, "ipvlan", _common(name, "", mtu, netns_fd), data, u32(_IFLA_LINK, parent))


def add_vlan(name: str, parent: int, number: int) -> Request:
    return _new(name, "vlan", _common(name, "", 0), u16(_IFLA_VLAN_ID, number), u32(_IFLA_LINK, parent))


def add_dummy(name: str) -> Request:
    return _new(name, "dummy", _common(name, "", 0), b"")


def change_link(
    name: str = "",
    *,
    index: int = 0,
    up: bool | None = None,
    master: int | None = None,
    alias: str | None = None,
    mac: str = "",
    mtu: int = 0,
    no_link_local: bool = False,
) -> Request:
    """Change a link by name or index. ``no_link_local``: the kernel makes no IPv6 link-local address for it."""
    parts = []
    if name:
        parts.append(text(_IFLA_IFNAME, name))
    if mac:
        parts.append(attribute(_IFLA_ADDRESS, mac_bytes(mac)))
    if mtu:
        parts.append(u32(_IFLA_MTU, mtu))
    if no_link_local:
        parts.append(nested(_IFLA_AF_SPEC, nested(_AF_INET6, u8(_IFLA_INET6_ADDR_GEN_MODE, _IN6_ADDR_GEN_MODE_NONE))))
    if alias is not None:
        parts.append(attribute(_IFLA_IFALIAS, alias.encode()))
    if master is not None:
        parts.append(u32(_IFLA_MASTER, master))
    flags = 0 if up is None else IFF_UP if up else 0
    body = _info(index, flags, 0 if up is None else IFF_UP) + b"".join(parts)
    return Request(RTM_SETLINK, 0, body, f"set link {name or index}")


def hairpin(name: str) -> Request:
    """Let a bridge port send back what came in by it; the link must be on a bridge already.

    Where br_netfilter calls the packet rules for bridged frames, a container that calls its own published port is redirected
    inside the bridge, back to the very port it came from.
    """
    slave = text(_IFLA_INFO_SLAVE_KIND, "bridge") + nested(_IFLA_INFO_SLAVE_DATA, u8(_IFLA_BRPORT_MODE, 1))
    body = _info() + text(_IFLA_IFNAME, name) + nested(_IFLA_LINKINFO, slave)
    return Request(RTM_NEWLINK, 0, body, f"set hairpin on link {name}")


def delete_link(name: str = "", *, index: int = 0) -> Request:
    body = _info(index) + (text(_IFLA_IFNAME, name) if name else b"")
    return Request(RTM_DELLINK, 0, body, f"delete link {name or index}")


def _parse(reply: Reply) -> Link:
    _, _, index, flags, _ = _INFO.unpack_from(reply.body)
    found = attributes(reply.body[_INFO.size :])
    info = attributes(found.get(_IFLA_LINKINFO, memoryview(b"")))
    mtu, master = found.get(_IFLA_MTU), found.get(_IFLA_MASTER)
    return Link(
        index=index,
        name=string(found.get(_IFLA_IFNAME)),
        kind=string(info.get(_IFLA_INFO_KIND)),
        alias=string(found.get(_IFLA_IFALIAS)),
        mac=bytes(found.get(_IFLA_ADDRESS, b"")).hex(":"),
        mtu=struct.unpack("=I", mtu)[0] if mtu else 0,
        master=struct.unpack("=I", master)[0] if master else 0,
        up=bool(flags & IFF_UP),
        loopback=bool(flags & IFF_LOOPBACK),
    )


def list_links(sock: NetlinkSocket) -> list[Link]:
    """Return every link of the socket's namespace."""
    body = _info() + u32(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)
    return [_parse(reply) for reply in sock.dump(Request(RTM_GETLINK, 0, body, "list links")) if reply.type == RTM_NEWLINK]


def find_link(sock: NetlinkSocket, name: str) -> Link | None:
    """Return the link of that name, None if there is none."""
    body = _info() + u32(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS) + text(_IFLA_IFNAME, name)
    try:
        return _parse(sock.get(Request(RTM_GETLINK, 0, body, f"get link {name}")))
    except NetlinkError:
        return None
