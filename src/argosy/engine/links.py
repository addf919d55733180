"""Legacy links (``--link name:alias``) on the default bridge: variables about a neighbour, and taking a link away. Pure.

moby ``daemon/links``, and ``dockerd`` 28 as asked. Ranges of adjoining ports (``…_PORT_80_TCP_START``) are not told.
"""

from collections.abc import Sequence

from argosy.engine.model import Config
from argosy.engine.validate.references import parse_link

_OWN = ("HOME", "PATH")
"""Of the image, not of the service: not passed on."""


def split(link: str) -> tuple[str, str]:
    """Return (name without a slash, alias). Raises SystemFailureError."""
    name, alias = parse_link(link)
    return name.removeprefix("/"), alias


def without(links: Sequence[str], alias: str) -> tuple[str, ...]:
    """Return the links but the one with this alias."""
    return tuple(link for link in links if split(link)[1] != alias)


def environment(alias: str, *, name: str, address: str, neighbour: Config) -> list[str]:
    """Return the variables that the container ``name`` gets about the neighbour it calls ``alias``."""
    word = alias.upper().replace("-", "_")
    ports = sorted((int(number), kind or "tcp") for number, _, kind in (port.partition("/") for port in neighbour.exposed_ports or {}))
    first = sorted(ports, key=lambda port: (port[1] != "tcp", port[0]))[:1]
    found = [f"{word}_PORT={kind}://{address}:{number}" for number, kind in first]
    for number, kind in ports:
        key = f"{word}_PORT_{number}_{kind.upper()}"
        found += [f"{key}={kind}://{address}:{number}", f"{key}_ADDR={address}", f"{key}_PORT={number}", f"{key}_PROTO={kind}"]
    found.append(f"{word}_NAME=/{name}/{alias}")
    own = (entry for entry in neighbour.env or () if "=" in entry and entry.partition("=")[0] not in _OWN)
    return found + [f"{word}_ENV_{entry}" for entry in own]
