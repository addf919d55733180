"""What our own nftables table says, as text; pure.

The chains never change; all that varies is elements of sets and maps, so that one published port is one element and a
change is a difference of sets. Facts that forced the shape:

* An accept here does not overrule a drop in another table's chain (nft(8), "accept"); see `foreign`.
* ``route_localnet`` makes 127.0.0.0/8 a destination that can come in by a bridge. The ``raw`` chain drops that, and sources
  in 127.0.0.0/8, before routing; the table is installed before the sysctl is set.
* A connection from 127.0.0.1 that was redirected must leave with another source, or the answer never comes back; so must one
  between two containers of one bridge through a published port (hairpin). Neither depends on br_netfilter.
* br_netfilter sits at priority 0 of the bridge family and goes on behind itself: a chain at 0 is skipped or not as it was
  registered after or before it. Ours is at -200, where the family's filters belong.
* ``meta ibrname`` is not in every kernel; ports of bridges without inter-container traffic are listed by name instead.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Element = tuple[str, str]
"""(set or map, text of one element)."""
Elements = frozenset[Element]

_SETS = {
    "bridges": "type ifname;",
    "internal": "type ifname;",
    "unprotected": "type ifname;",
    "uplinks": "type ifname;",
    "local": "type ifname . ifname;",
    "masquerade4": "type ipv4_addr; flags interval;",
    "masquerade6": "type ipv6_addr; flags interval;",
    "hairpin4": "type ipv4_addr . ifname; flags interval;",
    "hairpin6": "type ipv6_addr . ifname; flags interval;",
    "direct4": "type ipv4_addr . inet_proto . inet_service;",
    "direct6": "type ipv6_addr . inet_proto . inet_service;",
    "guarded4": "type ipv4_addr . inet_proto . inet_service;",
    "guarded6": "type ipv6_addr . inet_proto . inet_service;",
    "trusted4": "type ifname . ipv4_addr . inet_proto . inet_service;",
    "trusted6": "type ifname . ipv6_addr . inet_proto . inet_service;",
    "allowed4": "type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags interval;",
    "allowed6": "type ipv6_addr . inet_proto . inet_service . ipv6_addr; flags interval;",
}
_MAPS = {
    "snat4": "type ipv4_addr : ipv4_addr; flags interval;",
    "snat6": "type ipv6_addr : ipv6_addr; flags interval;",
    "host4": "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;",
    "host6": "type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service;",
    "any4": "type inet_proto . inet_service : ipv4_addr . inet_service;",
    "any6": "type inet_proto . inet_service : ipv6_addr . inet_service;",
}
_BRIDGE_SETS = {
    "isolated": "type ifname;",
    "links4": "type ipv4_addr . ipv4_addr;",
    "links6": "type ipv6_addr . ipv6_addr;",
}
_CHAINS = """
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname @bridges ip saddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @host4
    dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @host6
    dnat ip6 to meta l4proto . th dport map @any6
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    ct status dnat ip saddr . oifname @hairpin4 masquerade
    ct status dnat ip6 saddr . oifname @hairpin6 masquerade
    oifname != @bridges snat ip to ip saddr map @snat4
    oifname != @bridges snat ip6 to ip6 saddr map @snat6
    oifname != @bridges ip saddr @masquerade4 masquerade
    oifname != @bridges ip6 saddr @masquerade6 masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @local accept
    ct state established,related accept
    ip daddr . meta l4proto . th dport @guarded4 ip daddr . meta l4proto . th dport . ip saddr != @allowed4 drop
    ip6 daddr . meta l4proto . th dport @guarded6 ip6 daddr . meta l4proto . th dport . ip6 saddr != @allowed6 drop
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct status dnat accept
    oifname @unprotected accept
    ip daddr . meta l4proto . th dport @direct4 accept
    ip6 daddr . meta l4proto . th dport @direct6 accept
    iifname . ip daddr . meta l4proto . th dport @trusted4 accept
    iifname . ip6 daddr . meta l4proto . th dport @trusted6 accept
    oifname @bridges drop
    iifname @uplinks oifname @uplinks drop
  }
"""
_BRIDGE_CHAINS = """
  chain forward {
    type filter hook forward priority -200; policy accept;
    ether type arp accept
    iifname @isolated ip saddr . ip daddr @links4 accept
    iifname @isolated ip6 saddr . ip6 daddr @links6 accept
    iifname @isolated drop
  }
"""


def table_name(daemon: str) -> str:
    """Return the name that both our tables carry: two daemons on one machine never share one."""
    return "argosy-" + "".join(character for character in daemon if character.isalnum())[:8]


@dataclass(frozen=True, slots=True)
class BridgeRules:
    """One bridge network, as the packet rules see it."""

    name: str
    subnets: tuple[str, ...]
    internal: bool = False
    masquerade: tuple[str, ...] = ()
    """Which of the subnets leave the host under the host's address."""
    snat: tuple[tuple[str, str], ...] = ()
    """(subnet, address) for ``host_ipv4`` and ``host_ipv6``."""
    unprotected: bool = False


@dataclass(frozen=True, slots=True)
class PortRule:
    """One published port: host address (``0.0.0.0`` and ``::`` for all) and port → container address and port."""

    proto: str
    host_ip: str
    host_port: int
    target_ip: str
    target_port: int
    allow: tuple[str, ...] = ()
    """Who may use it; empty: everybody."""
    direct: bool = False
    """Routed networks: no translation, the container's own address is reached."""
    trusted: tuple[str, ...] = ()
    """Links of the host from which the container's own address is reached too."""


def _family(address: str) -> str:
    return "6" if ":" in address else "4"


def _prefix(text: str) -> str:
    network = ipaddress.ip_network(text, strict=False)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def bridge_elements(bridge: BridgeRules) -> Elements:
    name = f'"{bridge.name}"'
    found = {("bridges", name), ("local", f"{name} . {name}")}
    if bridge.internal:
        found.add(("internal", name))
    if bridge.unprotected:
        found.add(("unprotected", name))
    for subnet in bridge.subnets:
        found.add((f"hairpin{_family(subnet)}", f"{subnet} . {name}"))
    for subnet in bridge.masquerade:
        found.add((f"masquerade{_family(subnet)}", subnet))
    for subnet, address in bridge.snat:
        found.add((f"snat{_family(subnet)}", f"{subnet} : {address}"))
    return frozenset(found)


def port_elements(port: PortRule) -> Elements:
    family = _family(port.target_ip)
    inside = f"{port.target_ip} . {port.proto} . {port.target_port}"
    found: set[Element] = set()
    if port.direct:
        found.add((f"direct{family}", inside))
    elif port.host_ip in ("0.0.0.0", "::"):
        found.add((f"any{family}", f"{port.proto} . {port.host_port} : {port.target_ip} . {port.target_port}"))
    else:
        found.add((f"host{family}", f"{port.host_ip} . {port.proto} . {port.host_port} : {port.target_ip} . {port.target_port}"))
    found.update((f"trusted{family}", f'"{link}" . {inside}') for link in port.trusted)
    if port.allow:
        found.add((f"guarded{family}", inside))
        found.update((f"allowed{family}", f"{inside} . {_prefix(source)}") for source in port.allow if _family(source) == family)
    return frozenset(found)


def isolated_port(link: str) -> Elements:
    """The host's end of an endpoint on a bridge without inter-container traffic."""
    return frozenset({("isolated", f'"{link}"')})


def link_elements(one: str, other: str) -> Elements:
    """``--link``: two containers may talk although their bridge forbids it."""
    family = _family(one)
    return frozenset({(f"links{family}", f"{one} . {other}"), (f"links{family}", f"{other} . {one}")})


def uplink_elements(links: Iterable[str]) -> Elements:
    """The host's own cards, between which it does not route merely because a container engine turned ip_forward on."""
    return frozenset(("uplinks", f'"{link}"') for link in links)


def _where(table: str, kind: str) -> str:
    return f"bridge {table} {kind}" if kind in _BRIDGE_SETS else f"inet {table} {kind}"


def _grouped(elements: Elements) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for kind, text in sorted(elements):
        groups.setdefault(kind, []).append(text)
    return groups


def change(table: str, add: Elements, remove: Elements) -> str:
    """Return one transaction that takes elements out and puts others in."""
    lines = []
    for kind, texts in _grouped(remove).items():
        keys = ", ".join(text.split(" : ")[0] for text in texts)
        lines.append(f"delete element {_where(table, kind)} {{ {keys} }}")
    for kind, texts in _grouped(add).items():
        lines.append(f"add element {_where(table, kind)} {{ {', '.join(texts)} }}")
    return "\n".join(lines) + "\n" if lines else ""


def _declaration(family: str, table: str, sets: Mapping[str, str], maps: Mapping[str, str], chains: str) -> str:
    lines = [f"table {family} {table} {{"]
    lines.extend(f"  set {name} {{ {kind} }}" for name, kind in sets.items())
    lines.extend(f"  map {name} {{ {kind} }}" for name, kind in maps.items())
    return "\n".join(lines) + chains + "}\n"


def script(table: str, elements: Elements) -> str:
    """Return one transaction after which our tables are exactly this, whatever they were."""
    return (
        remove_script(table)
        + _declaration("inet", table, _SETS, _MAPS, _CHAINS)
        + _declaration("bridge", table, _BRIDGE_SETS, {}, _BRIDGE_CHAINS)
        + change(table, elements, frozenset())
    )


def remove_script(table: str) -> str:
    """Return one transaction after which our tables are gone, also if they were not there."""
    return "".join(f"add table {family} {table}\ndelete table {family} {table}\n" for family in ("inet", "bridge"))


_PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp"}
"""libnftables lists a protocol by its number where /etc/protocols is missing, as on a minimal Debian (protocols(5))."""


def found_elements(listing: Mapping[str, Any]) -> Elements:
    """Return the elements in ``nft -j list table``, written as this module writes them, but without quotes."""
    found: set[Element] = set()
    for entry in listing.get("nftables", ()):
        body = entry.get("set") or entry.get("map")
        for element in (body or {}).get("elem", ()):
            key, value = element if isinstance(element, list) else (element, None)
            text = _listed(key, body.get("type", ()))
            found.add((body["name"], text if value is None else f"{text} : {_listed(value)}"))
    return frozenset(found)


def _listed(value: Any, types: Sequence[str] = ()) -> str:
    if isinstance(value, dict):
        if "concat" in value:
            parts = [_listed(part) for part in value["concat"]]
            kinds = types if len(types) == len(parts) else [""] * len(parts)
            return " . ".join(_PROTOCOLS.get(part, part) if kind == "inet_proto" else part for part, kind in zip(parts, kinds))
        if "prefix" in value:
            return f"{value['prefix']['addr']}/{value['prefix']['len']}"
        if "elem" in value:
            return _listed(value["elem"]["val"], types)
    return str(value)


def unquoted(elements: Elements) -> Elements:
    return frozenset((kind, text.replace('"', "")) for kind, text in elements)


def skeleton(listing: Mapping[str, Any]) -> tuple[str, ...]:
    """Return all that is not an element (chains, rules, sets), without handles, to tell whether anybody changed it."""
    found = []
    for entry in listing.get("nftables", ()):
        for kind, body in entry.items():
            if kind != "metainfo":
                kept = {key: value for key, value in body.items() if key not in ("handle", "elem")}
                found.append(f"{kind} {sorted(kept.items())!r}")
    return tuple(found)
