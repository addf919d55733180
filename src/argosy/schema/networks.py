"""Wire types of network requests."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from argosy.schema.names import wire_name
from argosy.schema.types import Int


class EndpointIpamConfig(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.EndpointIPAMConfig"
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: tuple[str, ...] | None = None


class EndpointSettings(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.EndpointSettings"
    ipam_config: EndpointIpamConfig | None = None
    links: tuple[str, ...] | None = None
    aliases: tuple[str, ...] | None = None
    mac_address: str = ""
    driver_opts: Mapping[str, str] | None = None
    gw_priority: Int = 0


class IpamPool(msgspec.Struct, frozen=True, omit_defaults=True, rename=wire_name):
    go_name: ClassVar[str] = "network.IPAMConfig"
    subnet: str = ""
    ip_range: str = ""
    gateway: str = ""
    auxiliary_addresses: Mapping[str, str] | None = None


class Ipam(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.IPAM"
    driver: str = "default"
    options: Mapping[str, str] | None = None
    config: tuple[IpamPool, ...] = ()


class ConfigReference(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.ConfigReference"
    network: str = ""


class NetworkBody(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "network.CreateRequest"
    name: str = ""
    check_duplicate: bool = False
    driver: str = ""
    scope: str = ""
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    ipam: Ipam = Ipam()
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    config_only: bool = False
    config_from: ConfigReference = ConfigReference()
    options: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}


class ConnectBody(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.ConnectOptions"
    container: str = ""
    endpoint_config: EndpointSettings = EndpointSettings()


class DisconnectBody(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.DisconnectOptions"
    container: str = ""
    force: bool = False


class BandwidthBody(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "BandwidthRequest"
    container: str = ""
    down: str | None = None
    up: str | None = None
