"""Values of the network layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


class PortBinding(msgspec.Struct, frozen=True):
    host_ip: str = ""
    host_port: str = ""


class EndpointIpamConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: tuple[str, ...] | None = None


class EndpointSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user asked of one network attachment."""

    ipam_config: EndpointIpamConfig | None = None
    links: tuple[str, ...] | None = None
    aliases: tuple[str, ...] | None = None
    mac_address: str = ""
    driver_opts: Mapping[str, str] | None = None
    gw_priority: int = 0


class Endpoint(msgspec.Struct, frozen=True):
    """What one network attachment became; empty addresses while the container does not run."""

    network_id: str
    endpoint_id: str = ""
    gateway: str = ""
    ip_address: str = ""
    ip_prefix_len: int = 0
    ipv6_gateway: str = ""
    global_ipv6_address: str = ""
    global_ipv6_prefix_len: int = 0
    mac_address: str = ""
    dns_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkRef:
    id: str
    name: str
    driver: str
    """``bridge``, ``host``, ``null``, ``macvlan``, …"""


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """All that a container's network needs when it starts."""

    container_id: str
    name: str
    hostname: str
    domainname: str
    endpoints: tuple[tuple[NetworkRef, EndpointSettings], ...]
    network_mode: str
    """``bridge``, ``host``, ``none``, ``container:ID`` or a network's name."""
    port_bindings: Mapping[str, tuple[PortBinding, ...]]
    """``80/tcp`` → bindings; an empty host port means any free one; ``8000-8010`` is a range to choose from."""
    publish_all: bool
    dns: tuple[str, ...]
    dns_search: tuple[str, ...]
    dns_options: tuple[str, ...]
    extra_hosts: tuple[str, ...]
    exposed_ports: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    """Alias → container id (``--link``)."""
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """``80/tcp`` → who may reach that port where it is published; a port without an entry is for everybody."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the container's network became."""

    endpoints: Mapping[str, Endpoint]
    """By network name."""
    ports: Mapping[str, tuple[tuple[str, str], ...]]
    """``80/tcp`` → ((host ip, host port), …); empty tuple for exposed and unpublished."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReachablePort:
    """A published port and who can reach it."""

    container_id: str
    name: str
    proto: str
    host_ip: str
    host_port: int
    target_ip: str
    target_port: int
    local: bool
    """From this host alone."""
    sources: tuple[str, ...]
    """Subnets that may; empty: everybody whom the host's own firewall does not stop."""


@dataclass(frozen=True, slots=True)
class PortAudit:
    policy: str
    """``--firewall-policy``: with ``open`` the host's firewall is told to let published ports pass."""
    ports: tuple[ReachablePort, ...]


@dataclass(frozen=True, slots=True)
class NetworkView:
    id: str
    name: str
    created: int
    scope: str
    driver: str
    enable_ipv4: bool
    enable_ipv6: bool
    ipam_driver: str
    ipam_options: Mapping[str, str] | None
    ipam_config: tuple[Mapping[str, Any], ...]
    """``{"Subnet":…, "IPRange":…, "Gateway":…, "AuxiliaryAddresses":…}``."""
    internal: bool
    attachable: bool
    ingress: bool
    config_only: bool
    config_from: str
    options: Mapping[str, str]
    labels: Mapping[str, str]
    containers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Container id → ``{"Name", "EndpointID", "MacAddress", "IPv4Address", "IPv6Address"}``."""
    subnets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Subnet → (addresses in use or nobody's, addresses that are left to be given)."""


@dataclass(frozen=True, slots=True)
class NetworkCreate:
    name: str
    driver: str = "bridge"
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    ipam_driver: str = "default"
    ipam_options: Mapping[str, str] | None = None
    ipam_config: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    config_only: bool = False
    config_from: str = ""
    scope: str = "local"
