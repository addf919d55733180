"""``NetworkSettings`` of inspect and list."""

from collections.abc import Mapping
from typing import Any

from argosy.base.ids import short
from argosy.engine.container_view import ContainerView
from argosy.engine.links import split
from argosy.engine.model import ContainerSpec, Status
from argosy.network.model import Endpoint, EndpointSettings

_NONE = EndpointSettings()
_NO_ENDPOINT = Endpoint(network_id="")
_PREDEFINED = frozenset(("bridge", "host", "none", "default"))
_UP = (Status.RUNNING, Status.PAUSED)


def port_map(ports: Mapping[str, tuple[tuple[str, str], ...]]) -> dict[str, Any]:
    """Return ``Ports`` of inspect; exposed and unpublished is null."""
    return {port: [{"HostIp": ip, "HostPort": number} for ip, number in bound] or None for port, bound in ports.items()}


def port_list(ports: Mapping[str, tuple[tuple[str, str], ...]]) -> list[dict[str, Any]]:
    """Return ``Ports`` of list."""
    wire: list[dict[str, Any]] = []
    for port, bound in ports.items():
        number, _, protocol = port.partition("/")
        inside, kind = int(number), protocol or "tcp"
        if not bound:
            wire.append({"PrivatePort": inside, "Type": kind})
        for ip, public in bound:
            # Routed, without a port of the host's.
            outside = {"PublicPort": int(public)} if public else {}
            wire.append({"IP": ip, "PrivatePort": inside, **outside, "Type": kind})
    return sorted(wire, key=lambda entry: (entry["PrivatePort"], entry["Type"], entry.get("IP", "")))


def endpoint(settings: EndpointSettings, made: Endpoint) -> dict[str, Any]:
    """Return one network attachment: what was asked and what became of it."""
    ipam = settings.ipam_config
    return {
        "IPAMConfig": None if ipam is None else _ipam(ipam.ipv4_address, ipam.ipv6_address, ipam.link_local_ips),
        "Links": None if settings.links is None else list(settings.links),
        "Aliases": None if settings.aliases is None else list(settings.aliases),
        "MacAddress": made.mac_address or settings.mac_address,
        "DriverOpts": None if settings.driver_opts is None else dict(settings.driver_opts),
        "GwPriority": settings.gw_priority,
        "NetworkID": made.network_id,
        "EndpointID": made.endpoint_id,
        "Gateway": made.gateway,
        "IPAddress": made.ip_address,
        "IPPrefixLen": made.ip_prefix_len,
        "IPv6Gateway": made.ipv6_gateway,
        "GlobalIPv6Address": made.global_ipv6_address,
        "GlobalIPv6PrefixLen": made.global_ipv6_prefix_len,
        "DNSNames": list(made.dns_names) or None,
    }


def _ipam(ipv4: str, ipv6: str, link_local: tuple[str, ...] | None) -> dict[str, Any]:
    wire: dict[str, Any] = {}
    if ipv4:
        wire["IPv4Address"] = ipv4
    if ipv6:
        wire["IPv6Address"] = ipv6
    if link_local:
        wire["LinkLocalIPs"] = list(link_local)
    return wire


def links(spec: ContainerSpec) -> dict[str, Any]:
    """Return ``HostConfig.Links`` of a container on the default bridge as Docker shows it: ``/db:/own/alias``; else nothing."""
    if spec.host.network_mode not in ("", "default", "bridge") or not spec.host.links:
        return {}
    return {"Links": [f"/{name}:/{spec.name}/{alias}" for name, alias in map(split, spec.host.links)]}


def networks(view: ContainerView) -> dict[str, Any]:
    """Return ``NetworkSettings.Networks``: every network that was asked for or joined."""
    names = dict.fromkeys((*view.endpoint_settings, *view.endpoints))
    return {name: endpoint(view.endpoint_settings.get(name, _NONE), view.endpoints.get(name, _NO_ENDPOINT)) for name in names}


def network_settings(view: ContainerView, version: int) -> dict[str, Any]:
    """Return ``NetworkSettings`` of inspect.

    Up to 1.51 the address on the default bridge is repeated at the top; up to 1.44 aliases include the short id.
    """
    up = view.state.status in _UP and view.state.pid > 0
    joined = networks(view)
    if version < 45:
        _add_short_ids(joined, view)
    ports = port_map(view.ports) if up else {}
    key = f"/proc/{view.state.pid}/ns/net" if up else ""
    wire: dict[str, Any] = {"SandboxID": view.spec.id if up else "", "SandboxKey": key, "Ports": ports}
    if version < 52:
        wire = {"Bridge": ""} | wire | _legacy(joined.get("bridge"))
    return wire | {"Networks": joined}


def _legacy(default: dict[str, Any] | None) -> dict[str, Any]:
    source = default or endpoint(_NONE, _NO_ENDPOINT)
    wire: dict[str, Any] = {
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
    }
    repeated = (
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "MacAddress",
    )
    return wire | {name: source[name] for name in repeated}


def _add_short_ids(joined: dict[str, Any], view: ContainerView) -> None:
    for name, wire in joined.items():
        if name not in _PREDEFINED and not name.startswith("container:"):
            extra = (short(view.spec.id), view.spec.config.hostname)
            wire["Aliases"] = list(dict.fromkeys((*(wire["Aliases"] or ()), *filter(None, extra))))
