"""One container's attachments: which addresses it gets, which of its networks leads outside, what it is called."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.base import ids
from argosy.base.errors import ForbiddenError, InvalidParameterError, SystemFailureError
from argosy.network import bandwidth
from argosy.network.drivers import bridge, macvlan
from argosy.network.drivers import options as opts
from argosy.network.firewall.rules import Elements
from argosy.network.ipam import Address, Pool, Subnet
from argosy.network.model import Endpoint, EndpointSettings, SandboxRequest
from argosy.network.publish import Published
from argosy.network.record import Attachment, Network


class NoAddressError(SystemFailureError):
    """A subnet is full; addresses that are about to be free may help."""


@dataclass(slots=True)
class Box:
    """What a container holds of its networks, from reserve to release."""

    request: SandboxRequest
    networks: dict[str, tuple[Network, EndpointSettings, Attachment]] = field(default_factory=dict)
    """By network id, in the order of their links."""
    ports: list[Published] = field(default_factory=list)
    elements: Elements = frozenset()
    pid: int = 0
    """Of its init, once attached."""
    resolver: bool = False
    served: frozenset[tuple[str, str, int]] = frozenset()
    """What netd proxies: (port key, backend address, backend port)."""

    @property
    def id(self) -> str:
        return self.request.container_id

    def gateway_network(self, version: int) -> tuple[Network, Attachment] | None:
        """Return the network whose gateway is the default route: highest priority, then by name (moby `sandbox.go`)."""
        best = None
        for network, settings, attachment in self.networks.values():
            endpoint = attachment.endpoint
            if not (endpoint.gateway if version == 4 else endpoint.ipv6_gateway):
                continue
            rank = (-settings.gw_priority, network.record.name)
            if best is None or rank < best[0]:
                best = (rank, network, attachment)
        return None if best is None else (best[1], best[2])

    def target(self, version: int) -> str:
        """Return the address that published ports lead to, empty without one; only bridges publish."""
        best = None
        for network, settings, attachment in self.networks.values():
            endpoint = attachment.endpoint
            address = endpoint.ip_address if version == 4 else endpoint.global_ipv6_address
            if address and network.record.driver == "bridge" and not network.record.internal:
                rank = (-settings.gw_priority, network.record.name)
                if best is None or rank < best[0]:
                    best = (rank, address)
        return "" if best is None else best[1]

    def target_network(self) -> Network | None:
        """Return the network of `target`."""
        addresses = {self.target(4), self.target(6)} - {""}
        for network, _, attachment in self.networks.values():
            if {attachment.endpoint.ip_address, attachment.endpoint.global_ipv6_address} & addresses:
                return network
        return None

    def has_dns(self) -> bool:
        return any(network.has_dns for network, _, _ in self.networks.values())


def validate(network: Network, settings: EndpointSettings) -> None:
    """Raise InvalidParameterError ``invalid endpoint settings:`` with every fault (moby `endpoint_settings.go`)."""
    faults = []
    config = settings.ipam_config
    asked = [(4, config.ipv4_address), (6, config.ipv6_address)] if config is not None else []
    if network.record.predefined:
        if settings.aliases:
            faults.append("network-scoped alias is supported only for containers in user defined networks")
        if any(text for _, text in asked):
            faults.append("user specified IP address is supported on user defined networks only")
    for version, text in asked:
        if not text:
            continue
        address = _parse(text, version)
        if address is None:
            faults.append(f"invalid IPv{version} address: {text}")
        subnets = [subnet for subnet in _configured(network) if subnet.version == version]
        if not subnets:
            faults.append("user specified IP address is supported only when connecting to networks with user configured subnets")
        elif address is None or not any(address in subnet for subnet in subnets):
            faults.append(f"no configured subnet or ip-range contain the IP address {text}")
    if config is not None:
        faults += [f"invalid link-local IP address: {text}" for text in config.link_local_ips or () if not _is_address(text)]
    for parse in (inner_sysctls, allow_lists):
        try:
            parse(settings.driver_opts)
        except InvalidParameterError as error:
            faults.append(str(error))
    try:
        unable = bandwidth.fault(network.record.driver, bandwidth.asked(settings.driver_opts))
    except InvalidParameterError as error:
        unable = str(error)
    faults += [unable] if unable else []
    if settings.mac_address and network.record.driver == "ipvlan":
        raise InvalidParameterError("ipvlan interfaces do not support custom mac address assignment")
    if settings.mac_address and not _is_mac(settings.mac_address):
        raise InvalidParameterError(f"invalid MAC address {settings.mac_address}")
    if len(faults) == 1:
        raise InvalidParameterError(f"invalid endpoint settings:\n{faults[0]}")
    if faults:
        raise InvalidParameterError("invalid endpoint settings:\n" + "\n".join(f"* {fault}" for fault in faults))


def _parse(text: str, version: int) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address if address.version == version else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _configured(network: Network) -> list[Subnet]:
    """Return the subnets that the user named, those of a family that the network does not use among them."""
    record = network.record
    named = {pool.subnet for pool in record.pools if pool.named}
    unused = {str(entry.get("Subnet") or "") for entry in record.ipam_config} - {pool.subnet for pool in record.pools} - {""}
    return [ipaddress.ip_network(text) for text in named | unused]


def _is_mac(text: str) -> bool:
    parts = text.replace("-", ":").split(":")
    return len(parts) == 6 and all(len(part) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in part) for part in parts)


def allocate(network: Network, request: SandboxRequest, settings: EndpointSettings) -> Attachment:
    """Give a container addresses in a network and list it there. Raises in Docker's words; then nothing is held."""
    if request.container_id in network.attachments or any(one.name == request.name for one in network.attachments.values()):
        raise ForbiddenError(f"endpoint with name {request.name} already exists in network {network.record.name}")
    endpoint_id = ids.new_id()
    if network.record.driver not in ("bridge", "macvlan", "ipvlan"):
        attachment = Attachment(request.container_id, request.name, Endpoint(network.record.id, endpoint_id))
        network.attachments[request.container_id] = attachment
        return attachment
    validate(network, settings)
    taken: list[tuple[Pool, Address]] = []
    try:
        found = {version: _address(network, settings, version, taken) for version in (4, 6)}
    except BaseException:
        for pool, address in taken:
            pool.release(address)
        raise
    names = dns_names(request, settings)
    four, six = found[4], found[6]
    record = network.record
    routed = not record.internal and not macvlan.routed(record.driver, dict(record.options))
    endpoint = Endpoint(
        network_id=network.record.id,
        endpoint_id=endpoint_id,
        gateway=_gateway(network, four[0]) if four and routed else "",
        ip_address=str(four[1]) if four else "",
        ip_prefix_len=four[0].subnet.prefixlen if four else 0,
        ipv6_gateway=_gateway(network, six[0]) if six and routed else "",
        global_ipv6_address=str(six[1]) if six else "",
        global_ipv6_prefix_len=six[0].subnet.prefixlen if six else 0,
        # An ipvlan link has its parent's.
        mac_address="" if record.driver == "ipvlan" else settings.mac_address.replace("-", ":").lower() or bridge.random_mac(),
        dns_names=names if network.has_dns else (),
    )
    link = f"veth{endpoint_id[:11]}" if network.record.driver == "bridge" else ""
    attachment = Attachment(request.container_id, request.name, endpoint, link, names)
    network.attachments[request.container_id] = attachment
    return attachment


def _address(network: Network, settings: EndpointSettings, version: int, taken: list[tuple[Pool, Address]]) -> tuple[Pool, Address] | None:
    pools = [pool for pool in network.pools if pool.subnet.version == version]
    config = settings.ipam_config
    text = "" if config is None else config.ipv4_address if version == 4 else config.ipv6_address
    # An address of a family that the network does not use is taken note of, and not given (dockerd does the same).
    if text and pools:
        wanted = ipaddress.ip_address(text)
        pool = next(pool for pool in pools if wanted in pool.subnet)
        if not pool.take(wanted):
            raise ForbiddenError("Address already in use")
        taken.append((pool, wanted))
        return pool, wanted
    if not pools:
        return None
    for pool in pools:
        address = pool.allocate()
        if address is not None:
            taken.append((pool, address))
            return pool, address
    raise NoAddressError(
        f"no available IPv{version} addresses on this network's address pools: {network.record.name} ({network.record.id})"
    )


def _gateway(network: Network, pool: Pool) -> str:
    """Return the default route out of a subnet: its gateway, unless the default network was told another."""
    if network.default:
        key = "DefaultGatewayIPv4" if pool.subnet.version == 4 else "DefaultGatewayIPv6"
        for entry in network.record.ipam_config:
            other = (entry.get("AuxiliaryAddresses") or {}).get(key)
            if other:
                return str(other)
    return str(pool.gateway) if pool.gateway is not None else ""


def give_back(network: Network, attachment: Attachment) -> None:
    """Free the addresses. The attachment's links must be gone: two on one bridge with one address confuse every neighbour."""
    for text in (attachment.endpoint.ip_address, attachment.endpoint.global_ipv6_address):
        if text:
            address = ipaddress.ip_address(text)
            for pool in network.pools:
                if address in pool.subnet:
                    pool.release(address)


def take_up(network: Network, container_id: str, name: str, endpoint: Endpoint, names: tuple[str, ...]) -> Attachment:
    """List an attachment that a running container has already."""
    for text in (endpoint.ip_address, endpoint.global_ipv6_address):
        if text:
            address = ipaddress.ip_address(text)
            for pool in network.pools:
                if address in pool.subnet:
                    pool.take(address)
    link = f"veth{endpoint.endpoint_id[:11]}" if network.record.driver == "bridge" else ""
    attachment = network.attachments[container_id] = Attachment(container_id, name, endpoint, link, names)
    return attachment


def dns_names(request: SandboxRequest, settings: EndpointSettings) -> tuple[str, ...]:
    """Return what it is answered by: name, aliases, short id, hostname (moby `buildEndpointDNSNames`)."""
    names = [request.name, *(settings.aliases or ()), ids.short(request.container_id), request.hostname]
    return tuple(dict.fromkeys(name for name in names if name))


def allow_lists(settings: Mapping[str, str] | None) -> dict[str, tuple[str, ...]]:
    """Return who may reach a published port, by container port (``80/tcp``), of endpoint options. Raises InvalidParameterError."""
    found = {}
    for key, value in (settings or {}).items():
        if key.startswith(opts.ALLOW):
            port = key.removeprefix(opts.ALLOW)
            found[port if "/" in port else port + "/tcp"] = tuple(_source(text.strip()) for text in value.split(","))
    return found


def _source(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise InvalidParameterError(f"invalid source address in an allow list: {text}") from error


def inner_sysctls(options: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return (path below net/, value) of ``com.docker.network.endpoint.sysctls``, per-interface settings only."""
    found = []
    for item in filter(None, (options or {}).get("com.docker.network.endpoint.sysctls", "").split(",")):
        key, equals, value = item.strip().partition("=")
        parts = key.split(".")
        known = len(parts) == 5 and parts[0] == "net" and parts[1] in ("ipv4", "ipv6", "mpls") and parts[3] == "IFNAME"
        if not equals or not known or any(not part or "/" in part for part in parts):
            raise InvalidParameterError(
                f"unrecognised network interface sysctl '{item}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', "
                "'X' must be 'ipv4', 'ipv6' or 'mpls'"
            )
        found.append(("/".join(parts[1:]), value))
    return tuple(found)
