"""Driver options of a bridge or macvlan network, by Docker's keys and with Docker's words for bad values."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError, SystemFailureError

_BRIDGE = "com.docker.network.bridge."
BRIDGE_NAME = _BRIDGE + "name"
DEFAULT_BRIDGE = _BRIDGE + "default_bridge"
ENABLE_ICC = _BRIDGE + "enable_icc"
ENABLE_MASQUERADE = _BRIDGE + "enable_ip_masquerade"
HOST_BINDING = _BRIDGE + "host_binding_ipv4"
GATEWAY_MODE_4 = _BRIDGE + "gateway_mode_ipv4"
GATEWAY_MODE_6 = _BRIDGE + "gateway_mode_ipv6"
INHIBIT_IPV4 = _BRIDGE + "inhibit_ipv4"
TRUSTED = _BRIDGE + "trusted_host_interfaces"
CONTAINER_PREFIX = "com.docker.network.container_iface_prefix"
MTU = "com.docker.network.driver.mtu"
HOST_IPV4 = "com.docker.network.host_ipv4"
HOST_IPV6 = "com.docker.network.host_ipv6"
INTERFACE_NAME = "com.docker.network.endpoint.ifname"
ALLOW = "argosy.publish.allow."
"""Endpoint option, or label of the container, ``argosy.publish.allow.80/tcp=10.0.0.0/8,192.0.2.1``: who may reach a published port."""

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_MODES = ("nat", "nat-unprotected", "routed", "isolated")


def parse_bool(key: str, value: str) -> bool:
    """Go's strconv.ParseBool. Raises InvalidParameterError."""
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise InvalidParameterError(f'failed to parse {key} value: {value} (strconv.ParseBool: parsing "{value}": invalid syntax)')


def _parse_mtu(value: str) -> int:
    try:
        mtu = int(value)
    except ValueError as error:
        raise InvalidParameterError(f'failed to parse {MTU} value: {value} (strconv.Atoi: parsing "{value}": invalid syntax)') from error
    if mtu < 0:
        raise InvalidParameterError(f"invalid MTU number: {mtu}")
    return mtu


def _address(key: str, value: str, version: int) -> str:
    try:
        if ipaddress.ip_address(value).version != version:
            raise ValueError
    except ValueError as error:
        raise InvalidParameterError(f"failed to parse {key} value: {value} (nil ip)") from error
    return value


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    name: str = ""
    icc: bool = True
    masquerade: bool = True
    host_binding: str = ""
    mtu: int = 0
    gateway_mode_4: str = "nat"
    gateway_mode_6: str = "nat"
    inhibit_ipv4: bool = False
    container_prefix: str = "eth"
    snat_4: str = ""
    snat_6: str = ""
    trusted: tuple[str, ...] = ()
    """Links of the host from which published ports may be reached at the container's own address."""

    def gateway_mode(self, version: int) -> str:
        return self.gateway_mode_6 if version == 6 else self.gateway_mode_4


def bridge_options(options: Mapping[str, str]) -> BridgeOptions:
    """Parse; unknown keys are kept by the network and mean nothing, as with Docker. Raises InvalidParameterError."""
    get = options.get
    name = get(BRIDGE_NAME, "")
    if len(name) > 15:
        # What dockerd passes on from the kernel.
        raise SystemFailureError("numerical result out of range")
    if name in (".", "..") or "/" in name or any(character.isspace() for character in name):
        raise InvalidParameterError(f"invalid bridge name: {name}")
    modes = []
    for key in (GATEWAY_MODE_4, GATEWAY_MODE_6):
        mode = get(key, "") or "nat"
        if mode not in _MODES:
            raise InvalidParameterError(f"failed to parse {key} value: {mode} (unknown gateway mode {mode})")
        modes.append(mode)
    return BridgeOptions(
        name=name,
        icc=parse_bool(ENABLE_ICC, get(ENABLE_ICC, "true")),
        masquerade=parse_bool(ENABLE_MASQUERADE, get(ENABLE_MASQUERADE, "true")),
        host_binding=_address(HOST_BINDING, get(HOST_BINDING, "0.0.0.0"), 4) if get(HOST_BINDING) else "",
        mtu=_parse_mtu(get(MTU, "0")),
        gateway_mode_4=modes[0],
        gateway_mode_6=modes[1],
        inhibit_ipv4=parse_bool(INHIBIT_IPV4, get(INHIBIT_IPV4, "false")),
        container_prefix=get(CONTAINER_PREFIX, "") or "eth",
        snat_4=_address(HOST_IPV4, get(HOST_IPV4, ""), 4) if get(HOST_IPV4) else "",
        snat_6=_address(HOST_IPV6, get(HOST_IPV6, ""), 6) if get(HOST_IPV6) else "",
        trusted=tuple(filter(None, get(TRUSTED, "").split(":"))),
    )
