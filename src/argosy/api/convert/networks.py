"""Networks on the wire, and requests into the values of the network layer."""

from typing import Any

import msgspec

from argosy.base.clock import rfc3339_nano
from argosy.network.model import EndpointSettings, NetworkCreate, NetworkView, PortAudit
from argosy.schema import networks as schema

_MOST = 2**64 - 1


def network(view: NetworkView, version: int, *, detailed: bool) -> dict[str, Any]:
    """Return one network; the list shows no containers since 1.28, and inspect shows ``Status`` since 1.52."""
    wire: dict[str, Any] = {
        "Name": view.name,
        "Id": view.id,
        "Created": rfc3339_nano(view.created),
        "Scope": view.scope,
        "Driver": view.driver,
        "EnableIPv4": view.enable_ipv4,
        "EnableIPv6": view.enable_ipv6,
        "IPAM": {
            "Driver": view.ipam_driver,
            "Options": None if view.ipam_options is None else dict(view.ipam_options),
            "Config": [dict(pool) for pool in view.ipam_config] or None,
        },
        "Internal": view.internal,
        "Attachable": view.attachable,
        "Ingress": view.ingress,
        "ConfigFrom": {"Network": view.config_from},
        "ConfigOnly": view.config_only,
        "Options": dict(view.options),
        "Labels": dict(view.labels),
    }
    if detailed or version < 28:
        wire["Containers"] = {key: dict(value) for key, value in view.containers.items()}
    elif version < 52:
        wire["Containers"] = {}
    if detailed and version >= 52 and view.subnets:
        wire["Status"] = {"IPAM": {"Subnets": {subnet: _subnet(*counts) for subnet, counts in view.subnets.items()}}}
    return wire


def _subnet(used: int, free: int) -> dict[str, int]:
    return {"IPsInUse": min(used, _MOST), "DynamicIPsAvailable": min(free, _MOST)}


def audit(found: PortAudit) -> dict[str, Any]:
    """Return who can reach which port; ``From`` is null for everybody, empty for this host alone."""
    return {
        "Policy": found.policy,
        "Ports": [
            {
                "ContainerID": port.container_id,
                "Name": port.name,
                "Type": port.proto,
                "IP": port.host_ip,
                "PublicPort": port.host_port,
                "TargetIP": port.target_ip,
                "PrivatePort": port.target_port,
                "From": [] if port.local else list(port.sources) or None,
            }
            for port in found.ports
        ],
    }


def create_request(body: schema.NetworkBody) -> NetworkCreate:
    return NetworkCreate(
        name=body.name,
        driver=body.driver or "bridge",
        internal=body.internal,
        attachable=body.attachable,
        ingress=body.ingress,
        enable_ipv4=body.enable_ipv4,
        enable_ipv6=body.enable_ipv6,
        ipam_driver=body.ipam.driver or "default",
        ipam_options=body.ipam.options,
        ipam_config=tuple(msgspec.to_builtins(pool) for pool in body.ipam.config),
        options=body.options,
        labels=body.labels,
        config_only=body.config_only,
        config_from=body.config_from.network,
        scope=body.scope or "local",
    )


def endpoint_settings(wire: schema.EndpointSettings) -> EndpointSettings:
    return msgspec.convert(wire, EndpointSettings, from_attributes=True)
