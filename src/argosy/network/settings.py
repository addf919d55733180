"""What the daemon's configuration means to its networks (dockerd's keys; design section 7 for `policy`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Policy = Literal["open", "respect-host", "localhost"]


@dataclass(frozen=True, slots=True)
class AddressPool:
    """``--default-address-pool base=…,size=…``: networks without a subnet get one of this size out of it."""

    base: str
    size: int


DEFAULT_POOLS = (
    AddressPool("172.17.0.0/16", 16),
    AddressPool("172.18.0.0/16", 16),
    AddressPool("172.19.0.0/16", 16),
    AddressPool("172.20.0.0/14", 16),
    AddressPool("172.24.0.0/14", 16),
    AddressPool("172.28.0.0/14", 16),
    AddressPool("192.168.0.0/16", 20),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    bridge: str = "argosy0"
    """The default network's link; ``none``: no default network."""
    bip: str = ""
    bip6: str = ""
    fixed_cidr: str = ""
    fixed_cidr_v6: str = ""
    default_gateway: str = ""
    default_gateway_v6: str = ""
    default_address_pools: Sequence[AddressPool] = DEFAULT_POOLS
    mtu: int = 1500
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    host_gateway_ip: str = ""
    publish_ip: str = "0.0.0.0"
    """``--ip``: where ports without an address are published; 0.0.0.0 means IPv6 too."""
    iptables: bool = True
    """Whether we write firewall rules (nftables; the flag has dockerd's name)."""
    ip_forward: bool = True
    ip_masq: bool = True
    userland_proxy: bool = True
    policy: Policy = "open"
    icc: bool = True
    ipv6: bool = False
    resolv_conf: str = "/etc/resolv.conf"
    etc_hosts: str = "/etc/hosts"
