"""What a container's resolver says to a question; pure and light (netd loads it)."""

from argosy.network.dns import message
from argosy.network.dns.message import AAAA, ANY, IN, NOERROR, PTR, A, Query
from argosy.network.dns.names import HOST_NAMES, Names, packed, reversed_address

TTL = 1
"""Seconds. A container that went must not be answered by a cache a second later; asking again costs a tenth of a millisecond."""


class View:
    """Whose eyes the names are seen with."""

    __slots__ = ("gateway4", "gateway6", "links", "networks")

    def __init__(self, networks: list[str], links: dict[str, str], gateway4: str = "", gateway6: str = "") -> None:
        self.networks = networks
        self.links = links
        self.gateway4 = gateway4
        self.gateway6 = gateway6


def answer(query: Query, names: Names, view: View, limit: int) -> bytes | None:
    """Return the answer from local knowledge; None: ask upstream."""
    if query.klass != IN or query.opcode:
        return None
    if query.kind == PTR:
        return _reverse(query, names, view, limit)
    name = query.name.rstrip(".").lower()
    if name in HOST_NAMES:
        pairs = [(view.gateway4, view.gateway6)]
    else:
        found = names.lookup(view.networks, view.links, name)
        if found is None:
            return None
        pairs = [(member.v4, member.v6) for member in found]
    records = []
    for v4, v6 in pairs:
        if v4 and query.kind in (A, ANY):
            records.append((A, packed(v4)))
        if v6 and query.kind in (AAAA, ANY):
            records.append((AAAA, packed(v6)))
    return message.response(query, NOERROR, records, ttl=TTL, limit=limit)


def _reverse(query: Query, names: Names, view: View, limit: int) -> bytes | None:
    address = reversed_address(query.name)
    name = names.reverse(view.networks, address) if address is not None else None
    if name is None:
        return None
    return message.response(query, NOERROR, [(PTR, message.pack_name(name))], ttl=TTL, limit=limit)
