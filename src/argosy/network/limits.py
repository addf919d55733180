"""The bandwidth of endpoints that run: changed while they do, and set right after a daemon's death."""

import dataclasses
import logging
import socket
from collections.abc import Iterable

from argosy.base.errors import ArgosyError, ConflictError, NotFoundError, SystemFailureError
from argosy.linux.netlink import queue
from argosy.network import channel
from argosy.network.bandwidth import Bandwidth, asked, bucket
from argosy.network.endpoint import Box
from argosy.network.kernel import KernelThread
from argosy.network.model import EndpointSettings
from argosy.network.record import Attachment, Network

_log = logging.getLogger(__name__)


class Limits:
    def __init__(self, kernel: KernelThread) -> None:
        self._kernel = kernel

    async def change(self, box: Box, network: Network, settings: EndpointSettings) -> None:
        """Make an endpoint's limits what ``settings`` ask for. Raises NotFoundError, ConflictError, NotImplementedInArgosyError."""
        held = box.networks.get(network.record.id)
        if held is None or not box.pid:
            raise NotFoundError(f"endpoint {box.request.name} not found")
        try:
            await self._kernel.run(self._apply, box.pid, held[2], asked(settings.driver_opts))
        except (FileNotFoundError, ProcessLookupError) as error:
            raise ConflictError(f"container {box.request.name} has just ended") from error
        except OSError as error:
            raise SystemFailureError(f"failed to limit container {box.request.name} in network {network.record.name}: {error}") from error
        box.networks[network.record.id] = (network, settings, held[2])
        kept = tuple((ref, settings if ref.id == network.record.id else own) for ref, own in box.request.endpoints)
        box.request = dataclasses.replace(box.request, endpoints=kept)

    async def heal(self, boxes: Iterable[Box]) -> None:
        """Make the limits of all running endpoints what their settings say: a daemon may have died between the two."""
        wanted = [
            (box, attachment, asked(settings.driver_opts))
            for box in boxes
            for network, settings, attachment in box.networks.values()
            if box.pid and network.record.driver in ("bridge", "macvlan", "ipvlan")
        ]
        await self._kernel.run(self._heal, wanted)

    def _heal(self, wanted: list[tuple[Box, Attachment, Bandwidth]]) -> None:
        present = queue.shaped_links(self._kernel.route())
        for box, attachment, bandwidth in wanted:
            rate = present.get(_index(attachment.host_link), 0)
            aim = bucket(bandwidth.down, 0)
            # What the container's own end lets through is not seen from here; where it may matter it is set again.
            if bandwidth.up or rate != (aim.rate if aim else 0):
                try:
                    self._apply(box.pid, attachment, bandwidth)
                except (OSError, ArgosyError) as error:
                    _log.error("container %s: its bandwidth cannot be limited: %s", box.id[:12], error)

    def _apply(self, pid: int, attachment: Attachment, bandwidth: Bandwidth) -> None:
        channel.limit_running(self._kernel.route(), pid, attachment.host_link, attachment.endpoint, bandwidth)


def _index(link: str) -> int:
    try:
        return socket.if_nametoindex(link)
    except OSError:
        return 0
