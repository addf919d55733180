"""``--cache-from`` and ``--cache-to``: what of them the client does itself."""

from __future__ import annotations

from argosy.cli.errors import ExitError
from argosy.cli.images.layout import loaded
from argosy.cli.session import Session


def sources(session: Session, texts: list[str]) -> list[str]:
    """Return what is asked of the daemon. The directory of a ``type=local`` (an OCI layout) is loaded as an image. Raises ExitError."""
    # Names alone may be several, as with docker.
    each = [one for text in texts for one in ([text] if "=" in text else text.split(","))]
    return [f"type=image,ref={_loaded(session, fields, text)}" if (fields := _local(text)) else text for text in each]


def inline(texts: list[str]) -> bool:
    """Return whether ``--cache-to type=inline`` was given. Raises ExitError on any other: the cache goes with the image."""
    for text in texts:
        kind = dict(part.partition("=")[::2] for part in text.split(",")).get("type", "")
        if kind != "inline":
            raise ExitError(
                125, f"invalid --cache-to {text}: cache of type {kind or '(none)'} cannot be written: use type=inline and push the image"
            )
    return bool(texts)


def _local(text: str) -> dict[str, str]:
    fields = dict(part.partition("=")[::2] for part in text.split(",")) if "=" in text else {}
    return fields if fields.get("type") == "local" else {}


def _loaded(session: Session, fields: dict[str, str], text: str) -> str:
    directory = fields.get("src", "")
    if not directory:
        raise ExitError(125, f"invalid --cache-from {text}: it needs a directory: src=DIRECTORY")
    return loaded(session, directory, "cache source")
