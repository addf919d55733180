"""Who is who in the networks of one container; pure and light (netd loads it).

A name is looked up in every network that the asking container is in. Known names never leave the host, not even for a record
type that they lack: an AAAA for a container without IPv6 is an empty answer, not a question to the outside (which says
NXDOMAIN, and then resolvers give the A up as well).
"""

import binascii
import socket

HOST_NAMES = ("host.docker.internal", "gateway.docker.internal", "host.argosy.internal")


class Member:
    """A container in one network."""

    __slots__ = ("id", "names", "v4", "v6")

    def __init__(self, id: str, names: list[str], v4: str, v6: str) -> None:
        self.id = id
        self.names = names
        self.v4 = v4
        self.v6 = v6


class Names:
    """All networks' members; changed by the daemon, asked by resolvers."""

    def __init__(self) -> None:
        self.networks: dict[str, str] = {}
        self.members: dict[str, dict[str, Member]] = {}
        self._index: dict[str, dict[str, list[Member]]] = {}
        self._turn = 0

    def join(self, network: str, network_name: str, member: Member) -> None:
        """Put a member into a network, in place of an older entry of the same container."""
        self.networks[network] = network_name
        self.members.setdefault(network, {})[member.id] = member
        self._index.pop(network, None)

    def leave(self, network: str, id: str) -> None:
        members = self.members.get(network)
        if members is not None and members.pop(id, None) is not None:
            self._index.pop(network, None)
            if not members:
                del self.members[network]
                self.networks.pop(network, None)

    def forget(self, id: str) -> None:
        for network in list(self.members):
            self.leave(network, id)

    def _find(self, network: str, name: str) -> list[Member]:
        index = self._index.get(network)
        if index is None:
            index = self._index[network] = {}
            for member in self.members.get(network, {}).values():
                for text in dict.fromkeys(one.lower() for one in member.names):
                    index.setdefault(text, []).append(member)
        return index.get(name, [])

    def lookup(self, networks: list[str], links: dict[str, str], name: str) -> list[Member] | None:
        """Return who is called ``name`` in these networks, None if nobody is. Shared aliases come in turn.

        ``name.network`` works as with Docker; a link's alias stands for the name behind it.
        """
        name = name.lower()
        target = links.get(name)
        if target is not None:
            name = target.lower()
        for network in networks:
            found = self._find(network, name)
            if not found:
                suffix = "." + self.networks.get(network, "").lower()
                if len(suffix) > 1 and name.endswith(suffix):
                    found = self._find(network, name[: -len(suffix)])
            if found:
                self._turn += 1
                first = self._turn % len(found)
                return found[first:] + found[:first]
        return None

    def reverse(self, networks: list[str], address: str) -> str | None:
        """Return ``name.network`` of an address in these networks."""
        for network in networks:
            for member in self.members.get(network, {}).values():
                if address in (member.v4, member.v6) and member.names:
                    return f"{member.names[0]}.{self.networks[network]}"
        return None


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def reversed_address(name: str) -> str | None:
    """Return the address in ``4.3.2.1.in-addr.arpa`` or its IPv6 kin (RFC 1035 3.5, RFC 3596 2.5); None for another name."""
    labels = name.lower().split(".")
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        text = ".".join(reversed(labels[:4]))
        try:
            return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, text))
        except OSError:
            return None
    if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34 and all(len(label) == 1 for label in labels[:32]):
        try:
            return socket.inet_ntop(socket.AF_INET6, binascii.unhexlify("".join(reversed(labels[:32]))))
        except (ValueError, OSError):
            return None
    return None
