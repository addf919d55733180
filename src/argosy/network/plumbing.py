"""Endpoints made real: links, addresses and routes in the host and inside a container's namespace.

Everything here is synchronous and runs in the kernel thread. One batch of messages makes the pair of links in the host, one
more configures the inside; `linux.netns` says how the inside is reached.
"""

import contextlib
import ipaddress
import os
import socket
from dataclasses import dataclass, field

from argosy.base.errors import SystemFailureError
from argosy.linux import netns
from argosy.linux.netlink import NetlinkSocket, Request
from argosy.linux.netlink import address as addresses
from argosy.linux.netlink import link as links
from argosy.linux.netlink.socket import NETLINK_SOCK_DIAG, NetlinkError
from argosy.linux.nftables import Nftables, NftError
from argosy.network import channel
from argosy.network.bandwidth import NO_LIMIT, Bandwidth
from argosy.network.inner import link_with_address, own_link
from argosy.network.model import Endpoint

DNS_ADDRESS = "127.0.0.11"
_DNS_TABLE = "argosy-dns"


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """One link to make."""

    kind: str
    """``bridge``, ``macvlan`` or ``ipvlan``."""
    parent: str
    """The bridge, or the link that a macvlan sits on."""
    host_link: str
    alias: str
    mac: str
    mtu: int
    addresses: tuple[str, ...]
    """With prefix length."""
    prefix: str = "eth"
    name: str = ""
    """A name for the link inside; else prefix and the first free number."""
    mode: str = ""
    flag: str = ""
    sysctls: tuple[tuple[str, str], ...] = ()
    bandwidth: Bandwidth = NO_LIMIT


@dataclass(frozen=True, slots=True)
class AttachPlan:
    endpoints: tuple[EndpointPlan, ...]
    gateway_4: str = ""
    gateway_6: str = ""
    dns: bool = False
    diag: bool = False

    @property
    def empty(self) -> bool:
        """Nothing is to be made, as in network mode none."""
        return not (self.endpoints or self.dns or self.diag)


@dataclass(slots=True)
class Inside:
    """Sockets made inside a namespace; they keep it alive until they are closed.

    `close` may wait for milliseconds: the kernel ends an RCU grace period when a netfilter socket is closed soon after an
    nftables transaction that deleted something (`nft_rcv_nl_event`). So nothing is deleted where nothing can be: at a start.
    """

    udp: socket.socket | None = None
    tcp: socket.socket | None = None
    diag: list[socket.socket] = field(default_factory=list)
    nft: Nftables | None = None

    def close(self) -> None:
        for sock in (self.udp, self.tcp, *self.diag):
            if sock is not None:
                sock.close()
        if self.nft is not None:
            self.nft.close()


def attach(host: NetlinkSocket, netns_pid: int, plan: AttachPlan) -> Inside:
    """Make all endpoints, routes and sockets; the loopback is up, by the runtime that made the namespace.

    Raises OSError, NftError; then no link is left.
    """
    inside = Inside()
    made: list[EndpointPlan] = []
    fd = netns.open_pid(netns_pid)
    try:
        with netns.entered(fd):
            inner = NetlinkSocket()
        with inner:
            taken = {link.name for link in links.list_links(inner)}
            for endpoint in plan.endpoints:
                made.append(endpoint)
                name = endpoint.name or _free_name(taken, endpoint.prefix)
                taken.add(name)
                add_endpoint(host, inner, fd, endpoint, name)
            set_gateways(inner, plan.gateway_4, plan.gateway_6)
        if plan.dns:
            open_dns(fd, inside)
        if plan.diag:
            inside.diag.append(netns.socket_in(fd, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG))
    except BaseException:
        inside.close()
        for endpoint in made:
            remove_link(host, endpoint.host_link)
        raise
    finally:
        os.close(fd)
    return inside


def add_endpoint(host: NetlinkSocket, inner: NetlinkSocket, netns_fd: int, plan: EndpointPlan, name: str) -> None:
    """Make one endpoint between the host and the namespace of ``inner``, called ``name`` there."""
    parent = socket.if_nametoindex(plan.parent)
    if plan.kind == "bridge":
        host.run(
            [
                links.add_veth(plan.host_link, plan.mtu, name, plan.mac, netns_fd),
                links.change_link(plan.host_link, alias=plan.alias, no_link_local=True, master=parent, up=True),
                links.hairpin(plan.host_link),
            ]
        )
    elif plan.kind == "macvlan":
        host.run([links.add_macvlan(name, parent, plan.mode, plan.mac, plan.mtu, netns_fd)])
    else:
        host.run([links.add_ipvlan(name, parent, plan.mode, plan.flag, plan.mtu, netns_fd)])
    found = links.find_link(inner, name)
    if found is None:
        raise OSError(19, f"link {name} did not appear in the container")
    interfaces = [ipaddress.ip_interface(text) for text in plan.addresses]
    with netns.entered(netns_fd):
        _inner_sysctls(name, plan, any(interface.version == 6 for interface in interfaces))
    requests = [addresses.add_address(found.index, one.ip, one.network.prefixlen) for one in interfaces]
    if plan.bandwidth.limited:
        channel.limit(host, inner, plan.host_link, found, plan.bandwidth)
    inner.run([*requests, links.change_link(index=found.index, up=True)])


def _free_name(taken: set[str], prefix: str) -> str:
    number = 0
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def _inner_sysctls(name: str, plan: EndpointPlan, ipv6: bool) -> None:
    """/proc/sys/net is that of whoever opens it; so this is called from inside.

    A new container may have the address of one that just went: arp_notify tells the neighbours at once.
    """
    settings = [(f"ipv4/conf/{name}/arp_notify", "1")]
    settings.append((f"ipv6/conf/{name}/disable_ipv6", "0" if ipv6 else "1"))
    if ipv6:
        settings += [
            (f"ipv6/conf/{name}/ndisc_notify", "1"),
            (f"ipv6/conf/{name}/accept_ra", "0"),
            (f"ipv6/conf/{name}/dad_transmits", "0"),
        ]
    asked = [(key.replace("IFNAME", name), value) for key, value in plan.sysctls]
    settings += asked
    for key, value in settings:
        try:
            with open("/proc/sys/net/" + key, "w", encoding="ascii") as file:
                file.write(value)
        except FileNotFoundError:
            if (key, value) in asked:
                raise SystemFailureError(f"/proc/sys/net/{key} is not a sysctl file") from None
            # A kernel without IPv6 has nothing to switch off.
            if not key.startswith("ipv6/"):
                raise


def set_gateways(inner: NetlinkSocket, gateway_4: str, gateway_6: str) -> None:
    """Make the default routes exactly these; empty: none, ``@ADDRESS``: straight out of the link that has this address."""
    present: dict[int, addresses.Route] = {
        route.destination.version: route for route in addresses.list_routes(inner) if not route.destination.prefixlen
    }
    requests: list[Request] = []
    for version, gateway in ((4, gateway_4), (6, gateway_6)):
        old = present.get(version)
        link = link_with_address(inner, gateway[1:]) if gateway.startswith("@") else 0
        if old is not None and (old.link == link if link else old.gateway == gateway):
            continue
        if old is not None:
            requests.append(addresses.delete_route(addresses.default_network(version)))
        if link:
            requests.append(addresses.add_route(addresses.default_network(version), None, link))
        elif gateway:
            requests.append(addresses.add_route(addresses.default_network(version), ipaddress.ip_address(gateway), 0))
    if requests:
        inner.run(requests)


def change_gateways(netns_pid: int, gateway_4: str, gateway_6: str) -> None:
    fd = netns.open_pid(netns_pid)
    try:
        with netns.entered(fd):
            inner = NetlinkSocket()
        with inner:
            set_gateways(inner, gateway_4, gateway_6)
    finally:
        os.close(fd)


def open_dns(netns_fd: int, inside: Inside) -> None:
    """Make the resolver's sockets at 127.0.0.11 on ports of the kernel's choice, and send port 53 there.

    A socket bound to 53 itself would take the port from a container that is a name server.
    """
    with netns.entered(netns_fd):
        inside.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        inside.udp.bind((DNS_ADDRESS, 0))
        inside.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        inside.tcp.bind((DNS_ADDRESS, 0))
        inside.tcp.listen(64)
        inside.nft = Nftables()
        script = _dns_script(inside.udp.getsockname()[1], inside.tcp.getsockname()[1])
        try:
            inside.nft.run(f"create table ip {_DNS_TABLE}\n{script}")
        except NftError:
            # It is there, of a netd that was killed.
            inside.nft.run(f"add table ip {_DNS_TABLE}\ndelete table ip {_DNS_TABLE}\nadd table ip {_DNS_TABLE}\n{script}")


def _dns_script(udp: int, tcp: int) -> str:
    return (
        f"add chain ip {_DNS_TABLE} output {{ type nat hook output priority -100; policy accept; }}\n"
        f"add rule ip {_DNS_TABLE} output ip daddr {DNS_ADDRESS} udp dport 53 dnat to {DNS_ADDRESS}:{udp}\n"
        f"add rule ip {_DNS_TABLE} output ip daddr {DNS_ADDRESS} tcp dport 53 dnat to {DNS_ADDRESS}:{tcp}\n"
    )


def reopen_inside(netns_pid: int, *, dns: bool, diag: int) -> Inside:
    """Make a running container's sockets again, after netd was killed."""
    inside = Inside()
    fd = netns.open_pid(netns_pid)
    try:
        if dns:
            open_dns(fd, inside)
        inside.diag.extend(netns.socket_in(fd, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) for _ in range(diag))
    except BaseException:
        inside.close()
        raise
    finally:
        os.close(fd)
    return inside


def remove_link(host: NetlinkSocket, name: str) -> None:
    """Delete a link of the host by name; absent is fine. Takes tens of milliseconds."""
    if name:
        with contextlib.suppress(NetlinkError):
            host.run([links.delete_link(name)])


def remove_inside(netns_pid: int, endpoint: Endpoint) -> None:
    """Delete an endpoint's link inside a namespace (macvlan and ipvlan have no end in the host)."""
    with contextlib.suppress(OSError):
        fd = netns.open_pid(netns_pid)
        try:
            with netns.entered(fd):
                inner = NetlinkSocket()
            with inner:
                own = own_link(inner, endpoint)
                if own is not None:
                    inner.run([links.delete_link(index=own.index)])
        finally:
            os.close(fd)
