"""``--network`` and the options that go with it."""

from __future__ import annotations

from argosy.cli.flags.kinds import split_csv
from argosy.cli.opts.error import OptionError
from argosy.cli.opts.ports import is_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

_KEYS = {"alias": "aliases", "ip": "ip", "ip6": "ip6", "mac-address": "mac", "link-local-ip": "link_local", "gw-priority": "priority"}

RATES = {"net-down": "argosy.net.down", "net-up": "argosy.net.up"}
"""How much a container may receive and send in a network, and the option of its endpoint that says so."""


def network(text: str) -> dict[str, Any]:
    """Return the attachment of ``mynet`` or ``name=mynet,alias=web,ip=10.0.0.5``; raises ValueError."""
    out: dict[str, Any] = {"name": text, "aliases": [], "link_local": [], "driver_opts": {}}
    if "=" not in text:
        return out
    out["name"] = ""
    for field in split_csv(text):
        key, equals, value = field.partition("=")
        key, value = key.strip().lower(), value.strip()
        if not equals:
            raise ValueError(f"invalid field {field}")
        if key == "name":
            out["name"] = value
        elif key in ("alias", "link-local-ip"):
            out[_KEYS[key]].append(value)
        elif key == "driver-opt":
            name, pair, option = value.partition("=")
            if not pair:
                raise ValueError("invalid key value pair format in driver options")
            out["driver_opts"][name.strip()] = option.strip()
        elif key in RATES:
            out["driver_opts"][RATES[key]] = value
        elif key in _KEYS:
            out[_KEYS[key]] = value
        else:
            raise ValueError(f"invalid field key {key}")
    if not out["name"]:
        raise ValueError("network name/id is not specified")
    return out


def is_user_defined(mode: str) -> bool:
    return mode not in ("default", "bridge", "host", "none") and not mode.startswith("container:")


def attachments(
    networks: Sequence[dict[str, Any]],
    *,
    aliases: Sequence[str] = (),
    links: Sequence[str] = (),
    ip: str = "",
    ip6: str = "",
    link_local: Sequence[str] = (),
    mac: str = "",
    rates: Mapping[str, str] | None = None,
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return NetworkMode and EndpointsConfig; the single options belong to the first network. Raises OptionError.

    ``rates`` by flag (``net-down``) is for every network that does not say its own.
    """
    wanted = [dict(one) for one in networks] or [{"name": "default", "aliases": [], "link_local": [], "driver_opts": {}}]
    first = wanted[0]
    for key, value, flag in (("ip", ip, "--ip"), ("ip6", ip6, "--ip6"), ("mac", mac, "--mac-address")):
        if value and first.get(key):
            raise OptionError(f"conflicting options: cannot specify both {flag} and per-network {flag.removeprefix('--')}")
        first[key] = value or first.get(key, "")
    if aliases and first["aliases"]:
        raise OptionError("conflicting options: cannot specify both --network-alias and per-network alias")
    first["aliases"] = [*first["aliases"], *aliases]
    first["link_local"] = [*first["link_local"], *link_local]
    for one in wanted:
        one["driver_opts"] = {**{RATES[flag]: rate for flag, rate in (rates or {}).items()}, **one["driver_opts"]}
    kinds = {is_user_defined(one["name"]) for one in wanted}
    endpoints: dict[str, dict[str, Any]] = {}
    for position, one in enumerate(wanted):
        name = one["name"]
        if name in endpoints:
            raise OptionError(f'network "{name}" is specified multiple times')
        endpoint = _endpoint(one, links if position == 0 and is_user_defined(name) else ())
        if endpoint or len(wanted) > 1:
            endpoints[name] = endpoint
    if len(kinds) > 1:
        raise OptionError("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
    return first["name"], endpoints


def _endpoint(one: dict[str, Any], links: Iterable[str]) -> dict[str, Any]:
    if not one["name"].strip():
        raise OptionError("no name set for network")
    if one["aliases"] and not is_user_defined(one["name"]):
        raise OptionError("network-scoped aliases are only supported for user-defined networks")
    out: dict[str, Any] = {}
    if one["aliases"]:
        out["Aliases"] = list(one["aliases"])
    if links := list(links):
        out["Links"] = links
    ipam = {key: value for key, value in (("IPv4Address", one.get("ip")), ("IPv6Address", one.get("ip6"))) if value}
    if one["link_local"]:
        ipam["LinkLocalIPs"] = list(one["link_local"])
    if ipam:
        out["IPAMConfig"] = ipam
    if one.get("mac"):
        out["MacAddress"] = mac_address(str(one["mac"]))
    if one["driver_opts"]:
        out["DriverOpts"] = dict(one["driver_opts"])
    if one.get("priority"):
        out["GwPriority"] = int(one["priority"])
    return out


def mac_address(text: str) -> str:
    """Raises OptionError."""
    parts = text.split(":") if ":" in text else text.split("-")
    if len(parts) not in (6, 8, 20) or any(len(part) != 2 or set(part.lower()) - set("0123456789abcdef") for part in parts):
        raise OptionError(f"{text} is not a valid mac address")
    return text


def ip_address(text: str) -> str:
    """Raises ValueError."""
    if not is_address(text.strip()):
        raise ValueError(f"IP address is not correctly formatted: {text}")
    return text.strip()


def extra_host(text: str) -> str:
    """Check ``name:ip`` or ``name=ip``, where ``host-gateway`` stands for the host; raises ValueError."""
    separator = "=" if "=" in text and (":" not in text or text.index("=") < text.index(":")) else ":"
    name, found, address = text.partition(separator)
    if not found or not name:
        raise ValueError(f'bad format for add-host: "{text}"')
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address != "host-gateway" and not is_address(address):
        raise ValueError(f'invalid IP address in add-host: "{address}"')
    return f"{name}:{address}"


def dns_search(text: str) -> str:
    """Check a search domain, ``.`` for none; raises ValueError."""
    import re

    domain = text.strip(" ")
    if domain == ".":
        return domain
    if re.fullmatch(
        r"(:?(:?[a-zA-Z0-9]|(:?[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9]))(:?\.(:?[a-zA-Z0-9]|(:?[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])))*)\.?\s*",
        domain,
    ):
        return domain
    raise ValueError(f"{text} is not a valid domain")


def link(text: str) -> str:
    """Check ``name[:alias]``; raises ValueError."""
    parts = text.split(":")
    if not text:
        raise ValueError("empty string specified for links")
    if len(parts) > 2:
        raise ValueError(f"bad format for links: {text}")
    return text
