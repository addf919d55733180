"""What one container needs of kernel, packet rules and proxy, worked out of what it holds; pure."""

import ipaddress

from argosy.network import bandwidth, publish
from argosy.network import endpoint as endpoints
from argosy.network.drivers import macvlan
from argosy.network.drivers import options as opts
from argosy.network.endpoint import Box
from argosy.network.firewall import rules
from argosy.network.firewall.rules import Elements, PortRule
from argosy.network.model import EndpointSettings, ReachablePort, Sandbox
from argosy.network.plumbing import AttachPlan, EndpointPlan
from argosy.network.record import Attachment, Network
from argosy.network.settings import NetworkSettings

LINK_DRIVERS = ("bridge", "macvlan", "ipvlan")


def attach_plan(box: Box, settings: NetworkSettings, alias: str, *, diag: bool) -> AttachPlan:
    """Return the links and routes of a container that starts. ``diag``: a proxy will have to see who listens inside."""
    four, six = gateways(box)
    return AttachPlan(
        endpoints=tuple(
            endpoint_plan(network, asked, attachment, settings, alias)
            for network, asked, attachment in box.networks.values()
            if network.record.driver in LINK_DRIVERS
        ),
        gateway_4=four,
        gateway_6=six,
        dns=box.has_dns(),
        diag=diag,
    )


def gateways(box: Box) -> tuple[str, str]:
    """Return the default routes, IPv4 and IPv6; empty for none, ``@ADDRESS`` for the link of that address, which has no gateway."""
    four, six = box.gateway_network(4), box.gateway_network(6)
    straight = next((attachment.endpoint for network, _, attachment in box.networks.values() if _routed(network)), None)
    return (
        four[1].endpoint.gateway if four else f"@{straight.ip_address}" if straight and straight.ip_address else "",
        six[1].endpoint.ipv6_gateway if six else f"@{straight.global_ipv6_address}" if straight and straight.global_ipv6_address else "",
    )


def _routed(network: Network) -> bool:
    return not network.record.internal and macvlan.routed(network.record.driver, dict(network.record.options))


def endpoint_plan(network: Network, asked: EndpointSettings, attachment: Attachment, settings: NetworkSettings, alias: str) -> EndpointPlan:
    endpoint, record = attachment.endpoint, network.record
    options = network.bridge
    addresses = []
    if endpoint.ip_address:
        addresses.append(f"{endpoint.ip_address}/{endpoint.ip_prefix_len}")
    if endpoint.global_ipv6_address:
        addresses.append(f"{endpoint.global_ipv6_address}/{endpoint.global_ipv6_prefix_len}")
    config = asked.ipam_config
    for text in (config.link_local_ips or ()) if config is not None else ():
        # Docker's prefixes (libnetwork `endpoint.go`, linkLocalMask).
        addresses.append(f"{text}/{64 if ':' in text else 16}")
    return EndpointPlan(
        kind=record.driver,
        parent=record.link,
        host_link=attachment.host_link,
        alias=alias,
        mac=endpoint.mac_address,
        mtu=(options.mtu or settings.mtu) if record.driver == "bridge" else options.mtu,
        addresses=tuple(addresses),
        prefix=options.container_prefix,
        name=(asked.driver_opts or {}).get(opts.INTERFACE_NAME, ""),
        mode="" if record.driver == "bridge" else macvlan.mode(record.driver, dict(record.options)),
        flag=macvlan.flag(dict(record.options)) if record.driver == "ipvlan" else "",
        sysctls=endpoints.inner_sysctls(asked.driver_opts),
        bandwidth=bandwidth.asked(asked.driver_opts),
    )


def allow_lists(box: Box) -> dict[str, tuple[str, ...]]:
    """Return who may reach the published ports, by container port; a port without an entry is for everybody."""
    found = dict(box.request.allow)
    for _, asked, _ in box.networks.values():
        found.update(endpoints.allow_lists(asked.driver_opts))
    return found


def elements(box: Box) -> Elements:
    """Return what this container needs in our table."""
    found: set[rules.Element] = set()
    for network, _, attachment in box.networks.values():
        if network.record.driver == "bridge" and not network.bridge.icc:
            found |= rules.isolated_port(attachment.host_link)
            found |= _link_elements(box, network, attachment)
    allow = allow_lists(box)
    outside = box.target_network()
    trusted = outside.bridge.trusted if outside is not None else ()
    for port in box.ports:
        target = box.target(6 if ":" in port.host_ip else 4)
        # The kernel drops what leaves ::1 by another link, whatever is done to its source: that is the proxy's.
        if target and port.host_ip != "::1":
            allowed = allow.get(f"{port.container_port}/{port.proto}", ())
            rule = PortRule(port.proto, port.host_ip, port.host_port, target, port.container_port, allowed, trusted=trusted)
            found |= rules.port_elements(rule)
    for rule in _direct(box):
        found |= rules.port_elements(rule)
    return frozenset(found)


def sandbox(box: Box) -> Sandbox:
    """Return what the container's network has become, for inspect and the record."""
    ports: dict[str, list[tuple[str, str]]] = {}
    for port in box.request.exposed_ports:
        number, proto = publish.parse_port(port)
        ports[f"{number}/{proto}"] = []
    for name, host_ip in routed_ports(box):
        ports.setdefault(name, []).append((host_ip, ""))
    for bound in box.ports:
        ports.setdefault(f"{bound.container_port}/{bound.proto}", []).append((bound.host_ip, str(bound.host_port)))
    return Sandbox(
        endpoints={network.record.name: attachment.endpoint for network, _, attachment in box.networks.values()},
        ports={port: tuple(bindings) for port, bindings in ports.items()},
    )


def _direct(box: Box) -> list[PortRule]:
    """Return the ports of routed networks, reached at the container's own address."""
    return [
        PortRule(want.proto, "", 0, box.target(version), want.container_port, direct=True)
        for version in _routed_versions(box)
        for want in publish.wanted(box.request)
    ]


def routed_ports(box: Box) -> list[tuple[str, str]]:
    """Return (``80/tcp``, all addresses) of ports that are reached at the container's own address, as Docker shows them."""
    return [
        (f"{want.container_port}/{want.proto}", "::" if version == 6 else "0.0.0.0")
        for version in _routed_versions(box)
        for want in publish.wanted(box.request)
        if not want.host_ip or (":" in want.host_ip) == (version == 6)
    ]


def _routed_versions(box: Box) -> list[int]:
    network = box.target_network()
    return [
        version for version in (4, 6) if network is not None and network.bridge.gateway_mode(version) == "routed" and box.target(version)
    ]


def _link_elements(box: Box, network: Network, attachment: Attachment) -> Elements:
    found: set[rules.Element] = set()
    for other_id in box.request.links.values():
        other = network.attachments.get(other_id)
        if other is not None:
            for one, two in (
                (attachment.endpoint.ip_address, other.endpoint.ip_address),
                (attachment.endpoint.global_ipv6_address, other.endpoint.global_ipv6_address),
            ):
                if one and two:
                    found |= rules.link_elements(one, two)
    return frozenset(found)


def proxied(box: Box, settings: NetworkSettings) -> frozenset[tuple[str, str, int]]:
    """Return the ports that netd carries: where the packet rules cannot, or may not. (port key, backend address, its port)."""
    if not settings.userland_proxy:
        return frozenset()
    found = set()
    guarded = allow_lists(box)
    for port in box.ports:
        own = box.target(6 if ":" in port.host_ip else 4)
        backend = own or box.target(4) or box.target(6)
        if not backend or port.proto == "sctp":
            continue
        if f"{port.container_port}/{port.proto}" in guarded and port.host_ip != "::1" and not (own and settings.iptables):
            # The proxy does not know sources; where the rules cannot keep others out, nobody gets in.
            continue
        if not settings.iptables or not own or port.host_ip in ("::", "::1"):
            found.add((port.key, backend, port.container_port))
    return frozenset(found)


def audit(box: Box) -> list[ReachablePort]:
    """Return who can reach each published port of a container."""
    allow = allow_lists(box)
    found = []
    for port in box.ports:
        local = ipaddress.ip_address(port.host_ip).is_loopback
        target = box.target(6 if ":" in port.host_ip else 4) or box.target(4)
        sources = allow.get(f"{port.container_port}/{port.proto}", ())
        found.append(
            ReachablePort(
                container_id=box.id,
                name=box.request.name,
                proto=port.proto,
                host_ip=port.host_ip,
                host_port=port.host_port,
                target_ip=target,
                target_port=port.container_port,
                local=local,
                sources=() if local else sources,
            )
        )
    return found
