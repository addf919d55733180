"""The ``filters`` parameter: ``{"label": ["a", "b"]}``, or the older ``{"label": {"a": true, "b": true}}``."""

import msgspec

from argosy.base.errors import InvalidParameterError


def parse_filters(text: str) -> dict[str, list[str]]:
    """Return the values by filter name. Raises InvalidParameterError ``invalid filter``, as moby's ``filters.FromJSON``."""
    if not text:
        return {}
    try:
        tree = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise InvalidParameterError("invalid filter") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise InvalidParameterError("invalid filter")
    return {name: _values(values) for name, values in tree.items()}


def _values(values: object) -> list[str]:
    if values is None:
        return []
    if isinstance(values, dict):
        # A value that is false is kept by Docker too: only the keys count.
        return list(values)
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return list(values)
    raise InvalidParameterError("invalid filter")
