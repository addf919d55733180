"""Endpoints taken down in the background, and their addresses freed when that is done.

Two links with one address on one bridge confuse every neighbour, so an address is given out again only after its link is gone.
"""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

from argosy.base.tasks import Supervisor
from argosy.network import endpoint as endpoints
from argosy.network import plumbing
from argosy.network.kernel import KernelThread
from argosy.network.model import EndpointSettings
from argosy.network.record import Attachment, Network

_PAUSES = (0.01, 0.02, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5)


class Teardown:
    def __init__(self, *, kernel: KernelThread, supervisor: Supervisor) -> None:
        self._kernel = kernel
        self._supervisor = supervisor
        self._going: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._links: set[str] = set()

    def links(self) -> set[str]:
        """Return the links of the host that are on their way out."""
        return set(self._links)

    def await_death(self, network: Network, attachment: Attachment) -> None:
        """The container ended: its link goes with its namespace."""
        self._start(network, attachment, self._vanish(network, attachment))

    def begin(self, network: Network, attachment: Attachment, netns_pid: int) -> None:
        """Delete the link of a container that goes on without it."""
        self._start(network, attachment, self.now(network, attachment, netns_pid))

    async def now(self, network: Network, attachment: Attachment, netns_pid: int) -> None:
        """Delete the link and free the addresses; takes tens of milliseconds."""
        try:
            if attachment.host_link:
                await self._kernel.run_slow(self._remove_link, attachment.host_link)
            elif netns_pid and (attachment.endpoint.mac_address or network.record.driver == "ipvlan"):
                await self._kernel.run_slow(plumbing.remove_inside, netns_pid, attachment.endpoint)
        finally:
            endpoints.give_back(network, attachment)

    async def settled(self, network: Network, settings: EndpointSettings) -> None:
        """Wait until an address that was asked for is free of a predecessor that is just going."""
        config = settings.ipam_config
        for address in (config.ipv4_address, config.ipv6_address) if config is not None else ():
            task = self._going.get((network.record.id, address))
            if task is not None:
                await asyncio.wait([task])

    async def of(self, network_id: str, container_id: str) -> None:
        """Wait until a container's former link in a network is gone."""
        task = self._going.get((network_id, container_id))
        if task is not None:
            await asyncio.wait([task])

    async def drain(self, network: Network) -> bool:
        """Wait for all addresses of a network that are about to be free; False when there are none."""
        pending = {task for (id, _), task in self._going.items() if id == network.record.id}
        if pending:
            await asyncio.wait(pending)
        return bool(pending)

    def _start(self, network: Network, attachment: Attachment, work: Coroutine[Any, Any, None]) -> None:
        endpoint = attachment.endpoint
        held = (endpoint.ip_address, endpoint.global_ipv6_address, attachment.container_id)
        keys = [(network.record.id, text) for text in held if text]

        async def finish() -> None:
            try:
                await work
            finally:
                self._links.discard(attachment.host_link)
                for key in keys:
                    self._going.pop(key, None)

        self._links.add(attachment.host_link)
        task = self._supervisor.spawn(finish(), name=f"remove {attachment.host_link}")
        for key in keys:
            self._going[key] = task

    async def _vanish(self, network: Network, attachment: Attachment) -> None:
        """Wait for a link to go with its dying namespace, which holds up nobody; delete it if somebody keeps that alive.

        Deleting it ourselves takes the same 30 ms, but keeps the machine's one lock over links for much of that.
        """
        for pause in _PAUSES:
            try:
                socket.if_nametoindex(attachment.host_link)
            except OSError:
                endpoints.give_back(network, attachment)
                return
            await asyncio.sleep(pause)
        await self.now(network, attachment, 0)

    def _remove_link(self, name: str) -> None:
        plumbing.remove_link(self._kernel.route(), name)
