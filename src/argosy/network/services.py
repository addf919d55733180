"""What netd does for running containers, told to it in the controller's terms; and told again when it was killed."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Any

from argosy.base.errors import ArgosyError, UnavailableError
from argosy.base.tasks import Supervisor
from argosy.network import plumbing, publish
from argosy.network.endpoint import Box
from argosy.network.kernel import KernelThread
from argosy.network.netd.client import NetdClient
from argosy.network.plumbing import Inside
from argosy.network.publish import Bound, Published
from argosy.network.record import Attachment, Network
from argosy.network.settings import NetworkSettings

_log = logging.getLogger(__name__)

_PATIENCE = 15.0


class Services:
    """DNS, reserved ports and proxies. ``boxes`` gives the containers as they are when netd has to be told anew."""

    def __init__(
        self, *, directory: str, settings: NetworkSettings, kernel: KernelThread, supervisor: Supervisor, boxes: dict[str, Box]
    ) -> None:
        self._settings = settings
        self._kernel = kernel
        self._supervisor = supervisor
        self._boxes = boxes
        self._netd = NetdClient(directory=directory, on_loss=self._lost)
        self._ready = asyncio.Event()
        self._directory = directory

    @property
    def netd_pid(self) -> int:
        return self._netd.pid

    async def start(self) -> tuple[dict[str, str], dict[str, int]]:
        """Return (ports held: key → container id, resolvers: container id → pid) of a netd that was there before."""
        hello = await self._netd.start()
        self._ready.set()
        return hello["ports"], hello["resolvers"]

    def close(self) -> None:
        self._netd.close()

    async def stop(self) -> None:
        """End netd itself: the daemon leaves the host for good."""
        with contextlib.suppress(ArgosyError):
            await self._netd.call("stop")
        self._netd.close()

    # ------------------------------------------------------------------ ports

    async def _ask(self, op: str, fds: Sequence[int] = (), /, **fields: Any) -> None:
        """Ask netd; if it is just being replaced, ask its successor. Raises UnavailableError when there is none in time."""
        for attempt in range(2):
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._ready.wait()
            except TimeoutError as error:
                raise UnavailableError("netd does not come back") from error
            try:
                await self._netd.call(op, fds, **fields)
                return
            except UnavailableError:
                if attempt:
                    raise

    async def hold(self, owner: str, bound: Bound) -> None:
        """Give the sockets of bound ports to netd and close ours."""
        try:
            if bound.ports:
                await self._ready.wait()
                await self._ask("hold", [sock.fileno() for sock in bound.sockets], owner=owner, keys=[port.key for port in bound.ports])
        finally:
            bound.close()

    async def drop(self, ports: Iterable[Published]) -> None:
        keys = [port.key for port in ports]
        if keys:
            await self._ask("drop", keys=keys)

    async def serve(self, box: Box, wanted: frozenset[tuple[str, str, int]], inside: Inside | None = None) -> None:
        """Proxy these ports and no others."""
        for key, _, _ in box.served - wanted:
            if not any(other[0] == key for other in wanted):
                await self._ask("unserve", key=key)
        fresh = wanted - box.served
        tcp = [entry for entry in fresh if not entry[0].startswith("udp ")]
        own = None
        if tcp and (inside is None or not inside.diag):
            own = await self._kernel.run(lambda: plumbing.reopen_inside(box.pid, dns=False, diag=1))
        diag = (inside.diag if inside is not None and inside.diag else own.diag if own else [])[:1]
        try:
            for key, address, port in sorted(fresh):
                proto = key.split(" ")[0]
                fds = [sock.fileno() for sock in diag] if proto != "udp" else []
                await self._ask("serve", fds, key=key, proto=proto, backend=[address, port])
        finally:
            if own is not None:
                own.close()
        box.served = wanted

    # ------------------------------------------------------------------ names

    async def join(self, network: Network, attachment: Attachment) -> None:
        """Answer a container's names in a network."""
        if network.has_dns and attachment.dns_names:
            await self._ask("join", **_member(network, attachment))

    async def leave(self, network: Network, container_id: str) -> None:
        if network.has_dns:
            await self._ask("leave", network=network.record.id, id=container_id)

    async def resolve(self, box: Box, inside: Inside) -> None:
        """Serve DNS to a container by the sockets made inside it."""
        assert inside.udp is not None and inside.tcp is not None
        pidfd = os.pidfd_open(box.pid)
        try:
            fds = [inside.udp.fileno(), inside.tcp.fileno(), pidfd]
            await self._ask("resolver", fds, id=box.id, pid=box.pid, resolv_conf=self._settings.resolv_conf, **self._view(box))
        finally:
            os.close(pidfd)
        box.resolver = True

    async def look(self, box: Box) -> None:
        """Tell netd that the container's networks or links changed."""
        if box.resolver:
            await self._ask("view", id=box.id, **self._view(box))

    async def release(self, container_id: str) -> None:
        """Forget ports, names and resolver of a container."""
        await self._ask("release", id=container_id)

    def _view(self, box: Box) -> dict[str, Any]:
        links = {alias.lower(): ident[:12] for alias, ident in box.request.links.items()}
        for _, settings, _ in box.networks.values():
            for link in settings.links or ():
                name, _, alias = link.partition(":")
                links[(alias or name).lower()] = name
        return {
            "networks": [network.record.id for network, _, _ in box.networks.values() if network.has_dns],
            "links": links,
            "gateway4": host_gateway(box, 4, self._settings),
            "gateway6": host_gateway(box, 6, self._settings),
            "servers": self._servers(box),
        }

    def _servers(self, box: Box) -> list[str] | None:
        """Return None for the host's servers asked from the host, a list for named ones, asked from inside.

        A container with nothing but internal networks gets no answers from outside: DNS would carry data out.
        """
        named = list(box.request.dns or self._settings.dns)
        if named:
            return named
        outside = any(not network.record.internal for network, _, _ in box.networks.values())
        return None if outside else []

    # ------------------------------------------------------------------ when netd died

    def _lost(self) -> None:
        self._ready.clear()
        self._supervisor.spawn(self._again(), name="restart netd")

    async def _again(self) -> None:
        """Start another netd and give it everything again. The packet rules kept published ports working meanwhile."""
        while True:
            try:
                await self._netd.start()
                break
            except ArgosyError as error:
                _log.error("%s", error)
                await asyncio.sleep(1)
        _log.warning("netd was started again (process %d)", self._netd.pid)
        # Whoever waits comes in behind the names, which are sent before anything else can be.
        self._ready.set()
        await self.tell_all(list(self._boxes.values()), {}, {})

    async def tell_all(self, boxes: list[Box], ports: dict[str, str], resolvers: dict[str, int]) -> None:
        """Make netd hold exactly what these containers need; ``ports`` and ``resolvers`` is what it has already."""
        members = [
            _member(network, attachment)
            for box in boxes
            for network, _, attachment in box.networks.values()
            if box.pid and network.has_dns and attachment.dns_names
        ]
        await self._netd.call("names", members=members)
        wanted = {port.key: box.id for box in boxes for port in box.ports}
        stale = [key for key, owner in ports.items() if wanted.get(key) != owner]
        if stale:
            await self._netd.call("drop", keys=stale)
        for id in set(resolvers) - {box.id for box in boxes}:
            await self._netd.call("release", id=id)
        for box in boxes:
            try:
                await self._tell_one(box, ports, resolvers)
            except (ArgosyError, OSError) as error:
                _log.error("container %s: %s", box.id[:12], error)

    async def _tell_one(self, box: Box, ports: dict[str, str], resolvers: dict[str, int]) -> None:
        missing = [port for port in box.ports if ports.get(port.key) != box.id]
        sockets: list[socket.socket] = []
        bound = Bound([], sockets)
        for port in missing:
            try:
                sockets.append(publish.bind_socket(port))
                bound.ports.append(port)
            except OSError as error:
                _log.error("container %s: port %s cannot be reserved again: %s", box.id[:12], port.key, error)
        if bound.ports:
            await self._netd.call("hold", [sock.fileno() for sock in sockets], owner=box.id, keys=[port.key for port in bound.ports])
        bound.close()
        if not box.pid:
            return
        dns = box.has_dns() and resolvers.get(box.id) != box.pid
        wanted, box.served = box.served, frozenset()
        inside = await self._kernel.run(lambda: plumbing.reopen_inside(box.pid, dns=dns, diag=1 if wanted else 0))
        try:
            if dns:
                await self.resolve(box, inside)
            elif box.has_dns():
                box.resolver = True
                await self.look(box)
            await self.serve(box, wanted, inside)
        finally:
            await self._kernel.run_slow(inside.close)


def _member(network: Network, attachment: Attachment) -> dict[str, Any]:
    endpoint = attachment.endpoint
    return {
        "network": network.record.id,
        "name": network.record.name,
        "id": attachment.container_id,
        "names": list(attachment.dns_names),
        "v4": endpoint.ip_address,
        "v6": endpoint.global_ipv6_address,
    }


def host_gateway(box: Box, version: int, settings: NetworkSettings) -> str:
    """Return the host's address as this container reaches it: its own gateway, also on an internal network."""
    if settings.host_gateway_ip and (":" in settings.host_gateway_ip) == (version == 6):
        return settings.host_gateway_ip
    found = box.gateway_network(version)
    if found is not None:
        return found[0].gateway(version)
    return next((text for network, _, _ in box.networks.values() if (text := network.gateway(version))), "")
