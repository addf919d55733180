"""Links, firewall, forwarding, protocols."""

from __future__ import annotations

import json
import socket

from argosy.cli.doctor import modules
from argosy.cli.doctor.finding import MISSING, NOTE, OK, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.cli.doctor.machine import Machine

# Kind of link → what to say to `ip link add`, severity, what is lost.
_LINKS = {
    "veth": (("type", "veth"), MISSING, "containers have no network"),
    "bridge": (("type", "bridge"), MISSING, "containers have no network of their own"),
    "vxlan": (("type", "vxlan", "id", "42", "dstport", "4789"), NOTE, "overlay networks of a swarm do not work"),
    "macvlan": (("link", "base", "type", "macvlan"), NOTE, "macvlan networks are refused"),
    "ipvlan": (("link", "base", "type", "ipvlan"), NOTE, "ipvlan networks are refused"),
    "dummy": (("type", "dummy"), NOTE, "internal macvlan networks are refused"),
}
_SECTION = "network"


def probe(machine: Machine) -> Iterator[Finding]:
    yield from _links(machine)
    yield from _nftables(machine)
    yield _sctp(machine)
    yield from _forwarding(machine)
    yield from _firewall(machine)


def _links(machine: Machine) -> Iterator[Finding]:
    really = machine.is_root() and machine.has("unshare") and machine.has("ip")
    for kind, (words, severity, consequence) in _LINKS.items():
        works = _try_link(machine, words) if really else bool(machine.module(kind))
        if works:
            yield Finding(_SECTION, kind, OK, "works" if really else machine.module(kind))
        else:
            yield Finding(_SECTION, kind, severity, "missing", consequence, modules.remedy(machine, kind))


def _try_link(machine: Machine, words: tuple[str, ...]) -> bool:
    """Make one in a network namespace of its own, which takes it along when it goes."""
    base = "ip link add base type veth peer name other && " if "base" in words else ""
    code, _ = machine.run("unshare", "-n", "sh", "-c", f"{base}exec ip link add probe {' '.join(words)}")
    return code == 0


def _nftables(machine: Machine) -> Iterator[Finding]:
    library = machine.matches("/usr/lib/*/libnftables.so.1*") or machine.matches("/usr/lib*/libnftables.so.1*")
    if library:
        yield Finding(_SECTION, "libnftables", OK, library[0])
    else:
        consequence = "ports cannot be published and containers cannot reach the network"
        yield Finding(_SECTION, "libnftables", MISSING, "not installed", consequence, "sudo apt install libnftables1")
    module = machine.module("nf_tables")
    if machine.is_root() and machine.has("nft") and machine.has("unshare"):
        code, _ = machine.run("unshare", "-n", "nft", "add", "table", "ip", "probe")
        module = "works" if code == 0 else ""
    if module:
        yield Finding(_SECTION, "nf_tables", OK, module)
    else:
        consequence = "ports cannot be published and containers cannot reach the network"
        yield Finding(_SECTION, "nf_tables", MISSING, "missing", consequence, modules.remedy(machine, "nf_tables"))


def _sctp(machine: Machine) -> Finding:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        return Finding(_SECTION, "sctp", NOTE, "missing", "-p …/sctp is refused", modules.remedy(machine, "sctp"))
    return Finding(_SECTION, "sctp", OK, "works")


def _forwarding(machine: Machine) -> Iterator[Finding]:
    if machine.read("/proc/sys/net/ipv4/ip_forward").strip() == "1":
        yield Finding(_SECTION, "ip_forward", OK, "on")
    else:
        consequence = "argosyd switches it on when it starts; with --ip-forward=false containers cannot reach the network"
        yield Finding(_SECTION, "ip_forward", NOTE, "off", consequence, "sudo sysctl -w net.ipv4.ip_forward=1")
    if not machine.exists("/proc/sys/net/ipv6"):
        yield Finding(_SECTION, "ipv6", NOTE, "switched off", "networks with --ipv6 are refused", "Boot without ipv6.disable=1")


def _firewall(machine: Machine) -> Iterator[Finding]:
    """Name the chains that drop what is forwarded: an accept of ours cannot overrule another table's drop."""
    if not (machine.is_root() and machine.has("nft")):
        yield Finding(
            _SECTION, "firewall", NOTE, "could not be read", "a chain that drops forwarded packets would go unseen", "sudo argosy doctor"
        )
        return
    code, output = machine.run("nft", "-j", "list", "chains")
    chains = dropping(output) if code == 0 else []
    if not chains:
        yield Finding(_SECTION, "firewall", OK, "no chain drops forwarded packets by policy")
    for chain in chains:
        yield Finding(
            _SECTION,
            "firewall",
            NOTE,
            f"chain {chain} drops forwarded packets by policy",
            "argosyd adds accept rules for its bridges to it (policy open); with policy respect-host published ports stay shut",
            f"nft list chain {chain}",
        )


def dropping(output: str) -> list[str]:
    """Return ``family table chain`` of each base chain on forward whose policy is drop, from ``nft -j list chains``."""
    try:
        entries = json.loads(output).get("nftables", [])
    except ValueError:
        return []
    found = [entry["chain"] for entry in entries if "chain" in entry]
    return [
        f"{one['family']} {one['table']} {one['name']}" for one in found if one.get("hook") == "forward" and one.get("policy") == "drop"
    ]
