"""Published and exposed ports: ``80``, ``8000-8010/udp``, host ports and addresses (moby ``nat``)."""

from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError
from argosy.network.model import PortBinding

Bindings = Mapping[str, tuple[PortBinding, ...] | None]


def check_port_bindings(bindings: Bindings | None) -> None:
    """Raises InvalidParameterError ``invalid port specification: "x"``. A protocol that nobody knows is found at start."""
    for container_port, hosts in (bindings or {}).items():
        number = container_port.partition("/")[0]
        if not number:
            raise InvalidParameterError('invalid port specification: ""')
        _port(number, number)
        for host in hosts or ():
            parse_range(host.host_port)


def parse_range(text: str) -> tuple[int, int]:
    """Return (first, last) of ``8000-8010`` or ``80``; (0, 0) for an empty host port: any free one."""
    if not text:
        return 0, 0
    first, dash, last = text.partition("-")
    low, high = _port(first, text), _port(last if dash else first, text)
    if low > high:
        raise InvalidParameterError(f'invalid port specification: "{text}"')
    return low, high


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise InvalidParameterError(f'invalid port specification: "{whole}"')
    return int(text)
