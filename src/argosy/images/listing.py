"""``docker images``: filters and summaries (moby ``daemon/images/images.go``)."""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration
from argosy.images.catalog import Catalog
from argosy.images.model import ImageSummary
from argosy.images.record import Image, nanoseconds
from argosy.images.using import Users
from argosy.oci.reference import Reference
from argosy.storage.layers import Layers

Filters = Mapping[str, Sequence[str]]

_ACCEPTED = frozenset({"dangling", "label", "label!", "before", "since", "reference", "until"})


def check_filters(filters: Filters, accepted: Iterable[str]) -> None:
    """Raise InvalidParameterError ``invalid filter 'x'`` on a key that is not accepted."""
    for key in filters:
        if key not in accepted:
            raise InvalidParameterError(f"invalid filter '{key}'")


def flag(filters: Filters, key: str, default: bool) -> bool:
    """Return a filter that is true or false. Raises InvalidParameterError ``invalid filter 'dangling=[x]'``."""
    values = filters.get(key)
    if not values:
        return default
    found = {value.lower() for value in values}
    if found <= {"1", "true"}:
        return True
    if found <= {"0", "false"}:
        return False
    raise InvalidParameterError(f"invalid filter '{key}=[{' '.join(values)}]'")


def until(filters: Filters, now: int) -> int | None:
    """Return the ns that images must be older than. Raises InvalidParameterError on several, or one that is no time."""
    values = filters.get("until")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameterError("more than one until filter specified")
    text = values[0]
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text) * 1e9)
    try:
        return now - parse_duration(text)
    except InvalidParameterError:
        pass
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    except ValueError as error:
        raise InvalidParameterError(f"invalid value for until: {text}") from error
    return nanoseconds(text)


def labels_match(labels: Mapping[str, str], wanted: Sequence[str]) -> bool:
    """Return whether all of ``key`` or ``key=value`` hold."""
    for item in wanted:
        key, equals, value = item.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def reference_matches(name: Reference, pattern: str) -> bool:
    """Return whether a pattern matches the familiar name, alone or with tag (distribution ``FamiliarMatch``, Go path.Match)."""
    expression = _path_pattern(pattern)
    return bool(expression.fullmatch(name.familiar) or expression.fullmatch(name.familiar_name))


def _path_pattern(pattern: str) -> re.Pattern[str]:
    # In Go's path.Match a star stops at slashes.
    translated = fnmatch.translate(pattern).replace(".*", "[^/]*")
    return re.compile(translated)


def choose(catalog: Catalog, *, all: bool, filters: Filters, now: int) -> list[tuple[Image, list[Reference]]]:
    """Return the images to list with the names to show, newest first."""
    check_filters(filters, _ACCEPTED)
    dangling = flag(filters, "dangling", False) if filters.get("dangling") else None
    before = _edge([catalog.find(text).created for text in filters.get("before", ())], min)
    since = _edge([catalog.find(text).created for text in filters.get("since", ())], max)
    limit = until(filters, now)
    chosen = []
    for image in catalog.all().values():
        if catalog.head(image.id) != image.id:
            continue
        if (before is not None and image.created >= before) or (since is not None and image.created <= since):
            continue
        if limit is not None and image.created >= limit:
            continue
        if not labels_match(image.labels, filters.get("label", ())) or any(
            labels_match(image.labels, [item]) for item in filters.get("label!", ())
        ):
            continue
        names = catalog.references(image.id)
        if (shown := _names(catalog, image, names, all=all, dangling=dangling, patterns=filters.get("reference", ()))) is not None:
            chosen.append((image, shown))
    return sorted(chosen, key=lambda item: item[0].created, reverse=True)


def _edge(times: list[int], pick: object) -> int | None:
    assert callable(pick)
    return pick(times) if times else None


def _names(
    catalog: Catalog, image: Image, names: list[Reference], *, all: bool, dangling: bool | None, patterns: Sequence[str]
) -> list[Reference] | None:
    """Return the names to show, or None to leave the image out."""
    if patterns:
        names = [name for name in names if any(reference_matches(name, pattern) for pattern in patterns)]
        return names if names and dangling is not True else None
    if names:
        return None if dangling is True else names
    if dangling is False:
        return None
    # Intermediate images, the parents of others, are shown with --all only.
    if not all and catalog.children(image.id):
        return None
    return []


def summaries(
    chosen: Sequence[tuple[Image, list[Reference]]], *, layers: Layers, users: Users, shared_size: bool, catalog: Catalog
) -> list[ImageSummary]:
    """Return what the API lists; the shared size (-1: not asked for) counts layers that other images have too."""
    return [
        ImageSummary(
            id=image.id,
            parent_id=image.record.parent,
            repo_tags=tuple(name.familiar for name in names if not name.digest),
            repo_digests=tuple(name.familiar for name in names if name.digest),
            created=image.created // 10**9,
            size=sum(layers.get(chain).size for chain in _chains(image, catalog)),
            shared_size=_shared(image, catalog, layers) if shared_size else -1,
            containers=len(users(image.id)),
            labels=image.view.config.labels,
        )
        for image, names in chosen
    ]


def _chains(image: Image, catalog: Catalog) -> set[str]:
    """Return the layers of an image and of those that hide behind it."""
    family = (catalog.get(image_id) for image_id in catalog.family(image.id))
    return {chain for one in family if one is not None for chain in one.chains}


def _shared(image: Image, catalog: Catalog, layers: Layers) -> int:
    own = set(catalog.family(image.id))
    others = {chain for image_id, one in catalog.all().items() if image_id not in own for chain in one.chains}
    return sum(layers.get(chain).size for chain in _chains(image, catalog) & others)
