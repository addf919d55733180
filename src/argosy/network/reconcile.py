"""Links made equal to what is wanted: a pure difference over those that carry our own id, and a thin shell that acts on it."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from argosy.linux.netlink import NetlinkError, NetlinkSocket
from argosy.linux.netlink import link as links
from argosy.linux.netlink.link import Link

_HARDWARE = ""


@dataclass(frozen=True, slots=True)
class Difference:
    delete: tuple[str, ...]
    """Links of ours that nothing wants."""
    missing: frozenset[str]
    """Bridges (and parents) that should be there and are not."""
    enslave: tuple[tuple[str, str], ...]
    """(link, bridge) of endpoints that hang on no bridge, or on a wrong one."""


def decide(
    found: Iterable[Link], alias: str, endpoints: Mapping[str, str], parents: Mapping[str, bool], spare: Iterable[str]
) -> Difference:
    """Compare what is there with what is wanted.

    ``endpoints``: host link → bridge; ``parents``: link → whether we own it; ``spare``: links that are being made or removed.
    """
    by_name = {link.name: link for link in found}
    untouchable = {*endpoints, *parents, *spare}
    delete = tuple(name for name, link in by_name.items() if link.alias == alias and name not in untouchable)
    missing = frozenset(name for name, owned in parents.items() if owned and name not in by_name)
    enslave = tuple(
        (name, bridge)
        for name, bridge in endpoints.items()
        if name in by_name and bridge in by_name and by_name[name].master != by_name[bridge].index
    )
    return Difference(delete, missing, enslave)


def run(
    socket: Callable[[], NetlinkSocket], alias: str, endpoints: Mapping[str, str], parents: Mapping[str, bool], spare: Iterable[str]
) -> frozenset[str]:
    """Act on the difference, all but making bridges; return which of those are missing. Runs in the kernel thread."""
    host = socket()
    difference = decide(links.list_links(host), alias, endpoints, parents, spare)
    for name in difference.delete:
        with contextlib.suppress(NetlinkError):
            host.run([links.delete_link(name)])
    present = {link.name: link.index for link in links.list_links(host)} if difference.enslave else {}
    for name, bridge in difference.enslave:
        with contextlib.suppress(NetlinkError):
            host.run([links.change_link(name, master=present.get(bridge, 0), up=True)])
    return difference.missing


def hardware_links() -> list[str]:
    """Return the host's own cards (no kind, no loopback)."""
    with NetlinkSocket() as host:
        return [link.name for link in links.list_links(host) if link.kind == _HARDWARE and not link.loopback]
