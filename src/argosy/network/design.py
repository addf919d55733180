"""From a request to a network's record: subnets, gateways, link name; all that is decided before anything is made."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.network import validate
from argosy.network.drivers import options as opts
from argosy.network.ipam import Pool, Subnet, Subnets
from argosy.network.model import NetworkCreate
from argosy.network.record import NetworkRecord, PoolRecord
from argosy.network.settings import NetworkSettings


def choose_pools(
    request: NetworkCreate, subnets: Subnets, host: Iterable[Subnet], *, gateways: Callable[[int], bool]
) -> tuple[tuple[PoolRecord, ...], tuple[Mapping[str, Any], ...]]:
    """Return (pools as they are, configuration as it is shown), holding their subnets in ``subnets``.

    Raises InvalidParameterError, ForbiddenError, SystemFailureError; then nothing is held. ``gateways``: whether subnets of this
    version of IP get one at all.
    """
    config = [{key: value for key, value in entry.items() if value} for entry in request.ipam_config if any(entry.values())]
    validate.ipam_config(config, ipv6=request.enable_ipv6)
    host = list(host)
    held: list[Subnet] = []
    pools: list[PoolRecord] = []
    shown: list[Mapping[str, Any]] = []
    try:
        for entry in config:
            subnet = ipaddress.ip_network(str(entry["Subnet"]))
            if not (request.enable_ipv6 if subnet.version == 6 else request.enable_ipv4):
                # dockerd keeps and shows it, and gives no address from it.
                shown.append(entry)
                continue
            subnets.request(subnet)
            held.append(subnet)
            pools.append(_pool(entry, subnet, gateways=gateways))
            shown.append(entry)
        versions = {subnet.version for subnet in held}
        for version, enabled in ((4, request.enable_ipv4), (6, request.enable_ipv6)):
            if enabled and version not in versions:
                subnet = subnets.choose(version, host)
                held.append(subnet)
                pools.append(_pool({}, subnet, gateways=gateways))
                gateway = {"Gateway": pools[-1].gateway} if pools[-1].gateway else {}
                shown.append({"Subnet": str(subnet), **gateway})
    except BaseException:
        for subnet in held:
            subnets.release(subnet)
        raise
    return tuple(pools), tuple(shown)


def _pool(entry: Mapping[str, Any], subnet: Subnet, *, gateways: Callable[[int], bool]) -> PoolRecord:
    named = {str(name): ipaddress.ip_address(str(text)) for name, text in (entry.get("AuxiliaryAddresses") or {}).items()}
    span, gateway = str(entry.get("IPRange") or ""), str(entry.get("Gateway") or "")
    pool = Pool(subnet, ipaddress.ip_network(span) if span else None, None, frozenset(named.values()))
    if gateway and pool.reserved(ipaddress.ip_address(gateway)):
        raise SystemFailureError(f"failed to allocate gateway ({gateway}): Address already in use")
    for name, address in named.items():
        if str(address) == gateway or pool.reserved(address):
            raise SystemFailureError(f"failed to allocate secondary ip address ({name}:{address}): Address already in use")
    if not gateway and gateways(subnet.version):
        gateway = str(pool.choose_gateway())
    return PoolRecord(str(subnet), span, gateway, tuple(map(str, named.values())), bool(entry))


def default_request(settings: NetworkSettings, existing: tuple[str, ...]) -> NetworkCreate:
    """Return the predefined ``bridge`` network as dockerd's flags describe it.

    ``existing``: addresses (with prefix) of a bridge that somebody else made; they count where no ``--bip`` is given.
    """
    config: list[dict[str, Any]] = []
    first4 = settings.bip or next((address for address in existing if ":" not in address), "")
    first6 = settings.bip6 or next((address for address in existing if ":" in address), "")
    for bip, fixed, gateway, flag in (
        (first4, settings.fixed_cidr, settings.default_gateway, "bip"),
        (first6, settings.fixed_cidr_v6, settings.default_gateway_v6, "bip6"),
    ):
        entry: dict[str, Any] = {}
        if bip:
            try:
                interface = ipaddress.ip_interface(bip)
            except ValueError as error:
                raise InvalidParameterError(f"invalid {flag}: {bip}") from error
            entry = {"Subnet": str(interface.network), "Gateway": str(interface.ip)}
        if fixed:
            entry.setdefault("Subnet", str(ipaddress.ip_network(fixed, strict=False)))
            if entry["Subnet"] != fixed:
                entry["IPRange"] = fixed
        if entry:
            if gateway:
                entry["AuxiliaryAddresses"] = {"DefaultGatewayIPv4" if flag == "bip" else "DefaultGatewayIPv6": gateway}
            config.append(entry)
    return NetworkCreate(
        name="bridge",
        enable_ipv6=settings.ipv6,
        ipam_config=tuple(config),
        options={
            opts.DEFAULT_BRIDGE: "true",
            opts.ENABLE_ICC: str(settings.icc).lower(),
            opts.ENABLE_MASQUERADE: str(settings.ip_masq).lower(),
            opts.HOST_BINDING: settings.publish_ip or "0.0.0.0",
            opts.BRIDGE_NAME: settings.bridge,
            opts.MTU: str(settings.mtu),
        },
    )


def new_record(request: NetworkCreate, id: str, created: int, **more: Any) -> NetworkRecord:
    """Return the record of a request; ``more`` is what was decided."""
    return NetworkRecord(
        id=id,
        name=request.name,
        created=created,
        driver=request.driver or "bridge",
        enable_ipv4=request.enable_ipv4,
        enable_ipv6=request.enable_ipv6,
        internal=request.internal,
        attachable=request.attachable,
        ingress=request.ingress,
        config_only=request.config_only,
        config_from=request.config_from,
        ipam_driver=request.ipam_driver or "default",
        ipam_options=request.ipam_options,
        options=dict(request.options),
        labels=dict(request.labels),
        **more,
    )
