"""``GET /containers/json``: which containers, in which order. Pure (moby ``daemon/list.go`` for the rules)."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.engine import filters as match
from argosy.engine.filters import Filters
from argosy.engine.model import MountPoint, Status
from argosy.engine.view import View

V = TypeVar("V", bound=View)

ACCEPTED = frozenset(
    {
        *("ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network"),
        *("publish", "since", "status", "volume"),
    }
)
_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_HEALTH = ("none", "starting", "healthy", "unhealthy")
_RUNNING = (Status.RUNNING, Status.PAUSED, Status.RESTARTING)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Filters, parsed and validated once."""

    filters: Filters
    all: bool
    exited: frozenset[int]
    task: bool | None
    publish: frozenset[str]
    expose: frozenset[str]
    images: frozenset[str]


def select(
    views: Iterable[V],
    *,
    all: bool,
    limit: int,
    filters: Filters,
    find: Callable[[str], V],
    ancestors: Callable[[str], Collection[str]],
) -> list[V]:
    """Return the views that match, newest first, at most ``limit`` when it is positive.

    ``find`` returns a container by reference or raises NotFoundError (``before``, ``since``); ``ancestors`` returns the ids of the
    named image and of its descendants, nothing when it is unknown. Raises InvalidParameterError in Docker's words.
    """
    wanted = _parse(filters, all=all or limit > 0, ancestors=ancestors)
    ordered = sorted(views, key=_age)
    before = max((_age(find(ref)) for ref in filters.get("before", ())), default=None)
    since = min((_age(find(ref)) for ref in filters.get("since", ())), default=None)
    chosen: list[V] = []
    for view in ordered:
        if before is not None and _age(view) <= before:
            continue
        if since is not None and _age(view) >= since:
            break
        if _matches(view, wanted):
            chosen.append(view)
            if len(chosen) == limit:
                break
    return chosen


def _age(view: View) -> tuple[int, str]:
    """Newest first; the id settles a tie, so that the order never changes between two requests."""
    return -view.spec.created, view.spec.id


def _parse(filters: Filters, *, all: bool, ancestors: Callable[[str], Collection[str]]) -> _Wanted:
    match.accept(filters, ACCEPTED)
    for status in filters.get("status", ()):
        if status not in _STATES:
            raise InvalidParameterError(
                f"invalid filter 'status={status}': invalid value for state ({status}): must be one of {', '.join(_STATES)}"
            )
    for health in filters.get("health", ()):
        if health not in _HEALTH:
            raise InvalidParameterError(
                f"invalid filter 'health={health}': invalid value for health ({health}): must be one of {', '.join(_HEALTH)}"
            )
    return _Wanted(
        filters=filters,
        # A status was asked for by name, so stopped containers are meant too; an exit code alone does not say so.
        all=all or bool(filters.get("status")),
        exited=frozenset(_exit_code(text) for text in filters.get("exited", ())),
        task=match.flag(filters, "is-task"),
        publish=frozenset(port for text in filters.get("publish", ()) for port in _ports("publish", text)),
        expose=frozenset(port for text in filters.get("expose", ()) for port in _ports("expose", text)),
        images=frozenset(image for name in filters.get("ancestor", ()) for image in ancestors(name)),
    )


def _exit_code(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidParameterError(f"invalid filter 'exited={text}': strconv.Atoi: parsing \"{text}\": invalid syntax") from None


def _ports(key: str, text: str) -> list[str]:
    """Return ``8000/tcp … 8010/tcp`` of ``8000-8010``, ``80/udp``, ``80``. A wrong one is a 500 in Docker too."""
    numbers, _, protocol = text.partition("/")
    first, dash, last = numbers.partition("-")
    low, high = _port(key, text, first), _port(key, text, last if dash else first)
    if high < low:
        raise SystemFailureError(f"error while looking up for {key} {text}: Invalid range specified for the Port: {numbers}")
    return [f"{number}/{(protocol or 'tcp').lower()}" for number in range(low, high + 1)]


def _port(key: str, whole: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise SystemFailureError(f'error while looking up for {key} {whole}: strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > 65535:
        raise SystemFailureError(f'error while looking up for {key} {whole}: strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def _matches(view: View, wanted: _Wanted) -> bool:
    spec, state, filters = view.spec, view.state, wanted.filters
    if not wanted.all and state.status not in _RUNNING:
        return False
    return (
        match.pattern(filters, "name", "/" + spec.name, spec.name)
        and match.prefix(filters, "id", spec.id)
        and match.labels(filters, spec.config.labels)
        and match.exact(filters, "status", state.status)
        and match.exact(filters, "health", state.health.status if state.health else "none")
        and (not wanted.exited or _exited_with(view, wanted.exited))
        and (wanted.task is None or wanted.task == ("com.docker.swarm.task.id" in (spec.config.labels or {})))
        and (not filters.get("ancestor") or spec.image_id in wanted.images)
        and (not filters.get("volume") or _has_volume(spec.mounts, filters["volume"]))
        and (not filters.get("network") or _has_network(view, filters["network"]))
        and (not (wanted.publish or wanted.expose) or _has_port(view, wanted))
    )


def _exited_with(view: View, codes: frozenset[int]) -> bool:
    """A container that runs, or never ran, has not exited with any code."""
    return view.state.exit_code in codes and view.state.finished_at != 0 and view.state.status not in _RUNNING


def _has_volume(mounts: Sequence[MountPoint], wanted: Sequence[str]) -> bool:
    return any(text in (point.name, point.source, point.destination) for point in mounts for text in wanted if text)


def _has_network(view: View, wanted: Sequence[str]) -> bool:
    ids = [endpoint.network_id for endpoint in view.endpoints.values() if endpoint.network_id]
    return any(text in view.endpoints or any(identifier.startswith(text) for identifier in ids) for text in wanted)


def _has_port(view: View, wanted: _Wanted) -> bool:
    for exposed, bindings in view.ports.items():
        if exposed in wanted.expose:
            return True
        protocol = exposed.partition("/")[2]
        if any(f"{port}/{protocol}" in wanted.publish for _, port in bindings):
            return True
    return False
