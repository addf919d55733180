"""resolv.conf and hosts of one container."""

import ipaddress
from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError
from argosy.network import resolvconf
from argosy.network.dns.names import HOST_NAMES
from argosy.network.endpoint import Box
from argosy.network.model import SandboxRequest
from argosy.network.resolvconf import EMBEDDED, ResolvConf
from argosy.network.services import host_gateway
from argosy.network.settings import NetworkSettings

HOST_GATEWAY = "host-gateway"


def resolv_conf(request: SandboxRequest, settings: NetworkSettings, *, embedded: bool, ipv6: bool) -> bytes:
    """Return resolv.conf: the host's, what was asked, or the embedded resolver on user-defined networks."""
    host = resolvconf.read(settings.resolv_conf)
    servers = request.dns or settings.dns
    search = request.dns_search or settings.dns_search
    options = request.dns_options or settings.dns_options
    asked = [word for word, value in (("nameservers", servers), ("search", search), ("options", options)) if value]
    notes = [f"From {settings.resolv_conf}" + (f" with other {', '.join(asked)}" if asked else "")]
    if embedded:
        config = resolvconf.override(host, (EMBEDDED,), search, options)
        config = ResolvConf(config.servers, config.search, resolvconf.embedded_options(config.options))
        notes.append("Asked by 127.0.0.11: " + (" ".join(servers) if servers else "the host's servers, from the host"))
    elif request.network_mode == "host":
        config = resolvconf.override(host, servers, search, options)
    else:
        real = resolvconf.systemd_upstreams()
        reachable = servers or resolvconf.reachable_servers(host, real, ipv6=ipv6)
        config = resolvconf.override(
            host if host.search else ResolvConf(host.servers, real.search, host.options), reachable, search, options
        )
    return resolvconf.render(config, notes)


def hosts(request: SandboxRequest, box: Box | None, linked: Mapping[str, Box], settings: NetworkSettings, *, fallback: str) -> bytes:
    """Return /etc/hosts.

    ``linked``: alias → the container behind a ``--link`` on the default network; ``fallback``: the host, for who has no gateway.
    """
    extra = [_extra(text, box, settings, fallback) for text in request.extra_hosts]
    if request.network_mode == "host":
        try:
            with open(settings.etc_hosts, "rb") as file:
                own = file.read()
        except OSError:
            own = resolvconf.hosts_file(())
        return (
            own + (b"" if not own or own.endswith(b"\n") else b"\n") + "".join(f"{address}\t{name}\n" for address, name in extra).encode()
        )
    rows = list(extra)
    for alias, other in linked.items():
        names = list(dict.fromkeys((alias, other.request.hostname, other.request.name)))
        rows += [(address, " ".join(names)) for address in _addresses(other)]
    if box is not None:
        if not box.has_dns() and not any(name == HOST_NAMES[0] for _, name in extra):
            # No embedded resolver here that would answer it.
            rows += [(gateway, HOST_NAMES[0]) for version in (4, 6) if (gateway := host_gateway(box, version, settings))]
        full = f"{request.hostname}.{request.domainname}" if request.domainname else request.hostname
        short, dot, _ = full.partition(".")
        names = [full, short] if dot else [full]
        rows += [(address, " ".join(names)) for address in _addresses(box)]
    return resolvconf.hosts_file(rows)


def _addresses(box: Box) -> list[str]:
    found = []
    for _, _, attachment in box.networks.values():
        found += [text for text in (attachment.endpoint.ip_address, attachment.endpoint.global_ipv6_address) if text]
    return found


def _extra(text: str, box: Box | None, settings: NetworkSettings, fallback: str) -> tuple[str, str]:
    """Return (address, name) of ``name:address``, ``name=address`` or ``name:host-gateway``."""
    separator = "=" if "=" in text else ":"
    name, _, address = text.partition(separator)
    address = address.strip()
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address == HOST_GATEWAY:
        address = settings.host_gateway_ip or (box and (host_gateway(box, 4, settings) or host_gateway(box, 6, settings))) or fallback
        if not address:
            raise InvalidParameterError("unable to derive the IP value for host-gateway")
    else:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise InvalidParameterError(f'invalid IP address in add-host: "{address}"') from error
    return address, name


def linked_boxes(request: SandboxRequest, boxes: Mapping[str, Box]) -> dict[str, Box]:
    """Return alias → running container of the request's links."""
    return {alias: boxes[id] for alias, id in request.links.items() if id in boxes}
