"""``-p``, ``--expose`` and ``port`` (github.com/docker/go-connections/nat)."""

from __future__ import annotations

from argosy.cli.flags.kinds import split_csv
from argosy.cli.opts.error import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Bindings = dict[str, list[dict[str, str]]]

_PROTOCOLS = ("tcp", "udp", "sctp")


ALLOW = "argosy.publish.allow."
"""The label that says who may reach a published port: ``argosy.publish.allow.80/tcp=10.0.0.0/8,192.0.2.7``."""


def published(specs: Iterable[str]) -> tuple[dict[str, dict[str, str]], Bindings, dict[str, str]]:
    """Return ExposedPorts, PortBindings and labels of ``[ip:][host[-range]:]container[-range][/protocol][,allow=CIDR]…``.

    Raises OptionError.
    """
    exposed: dict[str, dict[str, str]] = {}
    bindings: Bindings = {}
    labels: dict[str, str] = {}
    for spec in specs:
        plain, sources = _guarded(spec)
        for port, binding in _one(_short_form(plain)):
            exposed[port] = {}
            bindings.setdefault(port, []).append(binding)
            if labels.setdefault(ALLOW + port, sources) != sources:
                raise OptionError(f"conflicting options: port {port} is published for different sources; a list holds for all its bindings")
    return exposed, bindings, {label: sources for label, sources in labels.items() if sources}


def _guarded(spec: str) -> tuple[str, str]:
    """Return the specification without ``allow=`` fields, and the sources of those with commas between."""
    if "allow=" not in spec:
        return spec, ""
    import ipaddress

    kept, sources = [], []
    for field in split_csv(spec):
        key, equals, value = field.partition("=")
        if key.strip() != "allow" or not equals:
            kept.append(field)
            continue
        try:
            sources.append(str(ipaddress.ip_network(value.strip())))
        except ValueError as error:
            raise OptionError(f"invalid source in -p {spec}: {error}") from None
    return ",".join(kept), ",".join(sources)


def _short_form(spec: str) -> str:
    """Turn ``target=80,published=8080,protocol=tcp`` into the short form."""
    if "=" not in spec:
        return spec
    fields: dict[str, str] = {}
    for part in split_csv(spec):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise OptionError(f"invalid publish opts format (should be name=value but got '{part}')")
        fields[key] = value
    address = fields.get("hostip", "")
    host = f"{address}:" if address else ""
    return f"{host}{fields.get('published', '')}:{fields.get('target', '')}/{fields.get('protocol', 'tcp')}"


def _one(spec: str) -> list[tuple[str, dict[str, str]]]:
    ports, slash, protocol = spec.rpartition("/") if "/" in spec else (spec, "", "tcp")
    *before, container = ports.split(":")
    host = before.pop() if before else ""
    address = ":".join(before)
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address and not is_address(address):
        raise OptionError(f"invalid IP address: {address}")
    if not container:
        raise OptionError(f"no port specified: {spec}<empty>")
    first, last = _range(container, "containerPort")
    host_first, host_last = _range(host, "hostPort") if host else (0, 0)
    if host and last - first != host_last - host_first and last != first:
        raise OptionError(f"invalid ranges specified for container and host Ports: {container} and {host}")
    if slash and protocol.lower() not in _PROTOCOLS:
        raise OptionError(f"invalid proto: {protocol}")
    out = []
    for offset in range(last - first + 1):
        if not host:
            outside = ""
        elif first == last and host_first != host_last:
            # One port of the container and several of the host: any free one of them.
            outside = f"{host_first}-{host_last}"
        else:
            outside = str(host_first + offset)
        out.append((f"{first + offset}/{protocol.lower() or 'tcp'}", {"HostIp": address, "HostPort": outside}))
    return out


def is_address(text: str) -> bool:
    import socket

    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0] if family == socket.AF_INET6 else text)
        except (OSError, ValueError):
            continue
        return True
    return False


def _range(text: str, what: str) -> tuple[int, int]:
    try:
        return parse_range(text)
    except ValueError:
        raise OptionError(f"invalid {what}: {text}") from None


def parse_range(text: str) -> tuple[int, int]:
    """Return ``80`` or ``80-90`` as a pair; raises ValueError in Go's words."""
    if not text:
        raise ValueError("empty string specified for ports")
    first, dash, last = text.partition("-")
    begin = _port(first)
    end = _port(last) if dash else begin
    if end < begin:
        raise ValueError(f"invalid range specified for port: {text}")
    return begin, end


def _port(text: str) -> int:
    if not (text.isdecimal() and text.isascii()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > 65535:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def exposed(specs: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return ExposedPorts of ``--expose``. Raises OptionError."""
    out: dict[str, dict[str, str]] = {}
    for spec in specs:
        if ":" in spec:
            raise OptionError(f"invalid port format for --expose: {spec}")
        ports, _, protocol = spec.partition("/")
        try:
            first, last = parse_range(ports)
        except ValueError as error:
            raise OptionError(f"invalid range format for --expose: {spec}, error: {error}") from None
        if (protocol or "tcp").lower() not in _PROTOCOLS:
            raise OptionError(f"invalid proto: {protocol}")
        out.update({f"{port}/{(protocol or 'tcp').lower()}": {} for port in range(first, last + 1)})
    return out
