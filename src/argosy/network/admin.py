"""Networks as the API's clients see them, with Docker's filters and words (`engine.network_service.NetworkAdmin`).

Connecting and disconnecting concern a container's revision too; the engine does them with `Controller`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.base.events import EventBus
from argosy.base.units import parse_duration
from argosy.network.catalogue import Catalogue
from argosy.network.model import NetworkCreate, NetworkView
from argosy.network.record import Network

Filters = Mapping[str, Sequence[str]]

_LIST = {"dangling", "driver", "id", "label", "name", "scope", "type"}
_PRUNE = {"label", "label!", "until"}


class NetworkAdmin:
    def __init__(self, *, catalogue: Catalogue, events: EventBus, clock: Clock) -> None:
        self._catalogue = catalogue
        self._events = events
        self._clock = clock

    async def create(self, request: NetworkCreate) -> tuple[str, str]:
        """Return (id, warning)."""
        network = await self._catalogue.create(request)
        return network.record.id, ""

    async def list_(self, filters: Filters) -> list[NetworkView]:
        """Raises InvalidParameterError ``invalid filter 'x'``."""
        for name in filters:
            if name not in _LIST:
                raise InvalidParameterError(f"invalid filter '{name}'")
        return [network.view() for network in self._catalogue.all() if _listed(network, filters)]

    async def inspect(self, ref: str, *, verbose: bool = False, scope: str = "") -> NetworkView:
        network = self._catalogue.find(ref)
        if scope and scope != network.record.scope:
            raise NotFoundError(f"network {ref} not found")
        return network.view()

    async def remove(self, ref: str) -> None:
        await self._catalogue.remove(self._catalogue.find(ref))

    async def prune(self, filters: Filters) -> list[str]:
        """Remove what no container uses; return the names."""
        for name in filters:
            if name not in _PRUNE:
                raise InvalidParameterError(f"invalid filter '{name}'")
        until = [_moment(text, self._clock.now_ns()) for text in filters.get("until", ())]
        if len(until) > 1:
            raise InvalidParameterError("more than one until filter specified")
        removed = []
        for network in self._catalogue.all():
            record = network.record
            if record.predefined or network.attachments or (until and record.created > until[0]):
                continue
            if not all(_has_label(record.labels, text) for text in filters.get("label", ())):
                continue
            if any(_has_label(record.labels, text) for text in filters.get("label!", ())):
                continue
            try:
                await self._catalogue.remove(network)
            except ArgosyError:
                # A container came in meanwhile, or another network is made from it: it is in use after all.
                continue
            removed.append(record.name)
        self._events.publish("network", "prune", "", {"reclaimed": "0"})
        return removed


def _listed(network: Network, filters: Filters) -> bool:
    record = network.record
    for name, values in filters.items():
        if not values:
            continue
        if name == "driver" and record.driver not in values:
            return False
        if name == "scope" and record.scope not in values:
            return False
        if name == "id" and not any(_matches(value, record.id) for value in values):
            return False
        if name == "name" and not any(_matches(value, record.name) for value in values):
            return False
        if name == "label" and not all(_has_label(record.labels, value) for value in values):
            return False
        if name == "type" and not any(_of_type(network, value) for value in values):
            return False
        if name == "dangling" and len(values) > 1:
            raise InvalidParameterError('got more than one value for filter key "dangling"')
        if name == "dangling" and _wants(values[-1]) != (not record.predefined and not network.attachments):
            return False
    return True


def _matches(pattern: str, text: str) -> bool:
    """Docker matches a part of the value, or a regular expression in it."""
    try:
        return pattern in text or re.search(pattern, text) is not None
    except re.error:
        return False


def _has_label(labels: Mapping[str, str], text: str) -> bool:
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _of_type(network: Network, kind: str) -> bool:
    if kind not in ("custom", "builtin"):
        raise SystemFailureError(f"invalid filter: 'type'='{kind}'")
    return network.record.predefined == (kind == "builtin")


def _wants(text: str) -> bool:
    if text in ("true", "1", "True", "TRUE", "t", "T"):
        return True
    if text in ("false", "0", "False", "FALSE", "f", "F"):
        return False
    raise InvalidParameterError('invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")')


def _moment(text: str, now: int) -> int:
    """Return ns since the epoch of a unix time, a duration before now, or an RFC 3339 time."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text) * 1e9)
    try:
        return now - parse_duration(text)
    except InvalidParameterError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameterError(f'failed to parse value as time or duration: "{text}"') from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e9)
