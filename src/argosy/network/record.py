"""A network as it is kept in state.db, and as it lives in the daemon."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.network.drivers.options import BridgeOptions, bridge_options
from argosy.network.ipam import Pool
from argosy.network.model import Endpoint, NetworkRef, NetworkView

KIND = "network"
"""Of the objects in state.db."""


class PoolRecord(msgspec.Struct, frozen=True):
    subnet: str
    range: str = ""
    gateway: str = ""
    auxiliary: tuple[str, ...] = ()
    named: bool = False
    """A user asked for this very subnet, and so may ask for addresses in it."""


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    created: int
    driver: str
    scope: str = "local"
    predefined: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    config_only: bool = False
    config_from: str = ""
    ipam_driver: str = "default"
    ipam_options: Mapping[str, str] | None = None
    ipam_config: tuple[Mapping[str, Any], ...] = ()
    """As it is shown: what the user said, or what was chosen."""
    pools: tuple[PoolRecord, ...] = ()
    """As it is: gateways filled in."""
    options: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    link: str = ""
    """The bridge, or the parent of a macvlan network."""
    owns_link: bool = False
    """Whether we made that link, and so take it away with the network."""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(NetworkRecord).decode


@dataclass(slots=True)
class Attachment:
    """One container in one network."""

    container_id: str
    name: str
    endpoint: Endpoint
    host_link: str = ""
    dns_names: tuple[str, ...] = ()
    """What it is answered by; the endpoint shows them only on networks with DNS."""


@dataclass(slots=True)
class Network:
    record: NetworkRecord
    pools: list[Pool] = field(default_factory=list)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    """By container id, from reserve to release."""
    removing: bool = False

    @classmethod
    def of(cls, record: NetworkRecord) -> "Network":
        pools = [
            Pool(
                ipaddress.ip_network(pool.subnet),
                ipaddress.ip_network(pool.range) if pool.range else None,
                ipaddress.ip_address(pool.gateway) if pool.gateway else None,
                frozenset(map(ipaddress.ip_address, pool.auxiliary)),
            )
            for pool in record.pools
        ]
        return cls(record, pools)

    @property
    def ref(self) -> NetworkRef:
        return NetworkRef(self.record.id, self.record.name, self.record.driver)

    @property
    def default(self) -> bool:
        """The predefined ``bridge``, which has no DNS and no aliases."""
        return self.record.predefined and self.record.driver == "bridge"

    @property
    def has_dns(self) -> bool:
        return not self.record.predefined

    @property
    def bridge(self) -> BridgeOptions:
        return bridge_options(self.record.options)

    def gateway(self, version: int) -> str:
        """Return the bridge's own address of that family, empty without one."""
        for pool in self.pools:
            if pool.subnet.version == version and pool.gateway is not None:
                return str(pool.gateway)
        return ""

    def view(self) -> NetworkView:
        record = self.record
        return NetworkView(
            id=record.id,
            name=record.name,
            created=record.created,
            scope=record.scope,
            driver=record.driver,
            enable_ipv4=record.enable_ipv4,
            enable_ipv6=record.enable_ipv6,
            ipam_driver=record.ipam_driver,
            ipam_options=record.ipam_options,
            ipam_config=record.ipam_config,
            internal=record.internal,
            attachable=record.attachable,
            ingress=record.ingress,
            config_only=record.config_only,
            config_from=record.config_from,
            options=record.options,
            labels=record.labels,
            containers={id: _shown(attachment) for id, attachment in self.attachments.items()},
            subnets={str(pool.subnet): (pool.used(), pool.free()) for pool in self.pools},
        )


def _shown(attachment: Attachment) -> Mapping[str, str]:
    endpoint = attachment.endpoint
    six = f"{endpoint.global_ipv6_address}/{endpoint.global_ipv6_prefix_len}" if endpoint.global_ipv6_address else ""
    return {
        "Name": attachment.name,
        "EndpointID": endpoint.endpoint_id,
        "MacAddress": endpoint.mac_address,
        "IPv4Address": f"{endpoint.ip_address}/{endpoint.ip_prefix_len}" if endpoint.ip_address else "",
        "IPv6Address": six,
    }
