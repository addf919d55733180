"""``--volumes-from`` and ``--link``: how a container names another (moby ``volume/mounts``, ``opts.ParseLink``)."""

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.engine.validate.binds import parse_mode


def parse_volumes_from(text: str) -> tuple[str, str]:
    """Return (container, mode) of ``name[:ro|rw|z|Z]``; mode ``rw`` if nothing is said. Raises InvalidParameterError."""
    if not text:
        raise InvalidParameterError("volumes-from specification cannot be an empty string")
    name, colon, mode = text.partition(":")
    if not name:
        raise InvalidParameterError('invalid name or ID supplied: ""')
    parsed = parse_mode(mode)
    if colon and (parsed is None or parsed.propagation or parsed.no_copy):
        raise InvalidParameterError(f"invalid mode: {mode}")
    return name, mode or "rw"


def parse_link(text: str) -> tuple[str, str]:
    """Return (container, alias) of ``name[:alias]``. Raises SystemFailureError in Docker's words, with its status."""
    if not text:
        raise SystemFailureError("empty string specified for links")
    parts = text.split(":")
    if len(parts) > 2:
        raise SystemFailureError(f"bad format for links: {text}")
    if len(parts) == 1:
        return parts[0], parts[0]
    # What inspect shows, "/other:/this/alias", is taken back.
    return parts[0], parts[1].rpartition("/")[2] if parts[0].startswith("/") else parts[1]
