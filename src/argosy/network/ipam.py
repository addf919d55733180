"""Which subnets and addresses are free; pure, in memory, filled from live state at boot.

Docker's words and order: the lowest free address first, the gateway is the first one of the subnet, subnets come out of the
default pools in their order, and one that overlaps a route of the host is skipped.
"""

import hashlib
import heapq
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from argosy.base.errors import ForbiddenError, InvalidParameterError
from argosy.network.settings import AddressPool

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network

OVERLAPS = "invalid pool request: Pool overlaps with other one on this address space"
EXHAUSTED = "all predefined address pools have been fully subnetted"


def subnet_of(address: str) -> Subnet:
    """Return the subnet of ``10.0.0.1/8``-like text. Raises InvalidParameterError."""
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError as error:
        raise InvalidParameterError(f"invalid CIDR address: {address}") from error


@dataclass(slots=True)
class Pool:
    """The addresses of one subnet of one network."""

    subnet: Subnet
    range: Subnet | None = None
    gateway: Address | None = None
    auxiliary: frozenset[Address] = frozenset()
    _used: set[Address] = field(default_factory=set)
    _freed: list[int] = field(default_factory=list)
    _next: int = -1

    def __post_init__(self) -> None:
        self._next = int(self._span().network_address)
        self._used.update(self.auxiliary)
        if self.gateway is not None:
            self._used.add(self.gateway)
        self._used.update(self._reserved())

    def _reserved(self) -> tuple[Address, ...]:
        """Return what is nobody's address: the subnet's own and, in IPv4, its broadcast."""
        if self.subnet.num_addresses <= 2:
            return ()
        ends: tuple[Address, ...] = (self.subnet.network_address, self.subnet.broadcast_address)
        return ends if self.subnet.version == 4 else ends[:1]

    def _span(self) -> Subnet:
        return self.range if self.range is not None else self.subnet

    def choose_gateway(self) -> Address:
        """Take the first free address, of the range if there is one, as the gateway and return it."""
        if self.gateway is None:
            first = int(self._span().network_address)
            for number in range(first, first + self._span().num_addresses):
                candidate = self._address(number)
                if candidate not in self._used:
                    self.gateway = candidate
                    self._used.add(candidate)
                    break
            else:
                raise ForbiddenError("no available IPv4 addresses on this network's address pools")
        return self.gateway

    def _address(self, number: int) -> Address:
        return ipaddress.IPv4Address(number) if self.subnet.version == 4 else ipaddress.IPv6Address(number)

    def allocate(self) -> Address | None:
        """Return the lowest free address of the range, None when all are taken."""
        while self._freed:
            candidate = self._address(heapq.heappop(self._freed))
            if candidate not in self._used:
                self._used.add(candidate)
                return candidate
        end = int(self._span().network_address) + self._span().num_addresses
        while self._next < end:
            candidate = self._address(self._next)
            self._next += 1
            if candidate not in self._used:
                self._used.add(candidate)
                return candidate
        return None

    def take(self, address: Address) -> bool:
        """Take that very address; False when it is taken."""
        if address in self._used:
            return False
        self._used.add(address)
        return True

    def release(self, address: Address) -> None:
        """Give it back; the gateway, auxiliary, reserved and never-taken addresses stay as they are."""
        if address == self.gateway or address in self.auxiliary or address in self._reserved() or address not in self._used:
            return
        self._used.discard(address)
        if address in self._span() and int(address) < self._next:
            heapq.heappush(self._freed, int(address))

    def free(self) -> int:
        """Return how many addresses of the range are left."""
        return self._span().num_addresses - sum(1 for address in self._used if address in self._span())

    def used(self) -> int:
        """Return how many addresses of the subnet are taken or nobody's."""
        return len(self._used)

    def reserved(self, address: Address) -> bool:
        """Whether it is the subnet's own or its broadcast address."""
        return address in self._reserved()


class Subnets:
    """The subnets that this daemon's networks hold, and where new ones come from."""

    def __init__(self, pools: Sequence[AddressPool], seed: str) -> None:
        self._pools = pools
        self._seed = seed
        self._held: list[Subnet] = []

    def request(self, subnet: Subnet) -> None:
        """Hold a subnet that a user named. Raises ForbiddenError when it overlaps one that is held."""
        if any(subnet.overlaps(other) for other in self._held if other.version == subnet.version):
            raise ForbiddenError(OVERLAPS)
        self._held.append(subnet)

    def choose(self, version: int, host: Iterable[Subnet]) -> Subnet:
        """Hold and return the first subnet of the default pools that overlaps neither ours nor the host's."""
        taken = [*self._held, *(route for route in host if route.prefixlen)]
        for candidate in self._candidates(version):
            if not any(candidate.overlaps(other) for other in taken if other.version == version):
                self._held.append(candidate)
                return candidate
        raise InvalidParameterError(EXHAUSTED)

    def release(self, subnet: Subnet) -> None:
        if subnet in self._held:
            self._held.remove(subnet)

    def _candidates(self, version: int) -> Iterator[Subnet]:
        found = False
        for pool in self._pools:
            base = ipaddress.ip_network(pool.base, strict=False)
            if base.version == version:
                found = True
                yield from base.subnets(new_prefix=max(pool.size, base.prefixlen))
        if version == 6 and not found:
            yield from self._local_prefix().subnets(new_prefix=64)

    def _local_prefix(self) -> ipaddress.IPv6Network:
        """RFC 4193: fd, then 40 bits that are this daemon's own and stay the same."""
        digest = hashlib.sha256(b"argosy ula " + self._seed.encode()).digest()[:5]
        return ipaddress.IPv6Network((b"\xfd" + digest + bytes(10), 48))
