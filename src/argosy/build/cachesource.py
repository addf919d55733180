"""What ``--cache-from`` names. Pure. https://docs.docker.com/build/cache/backends/ has the words."""

from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError

INLINE = "BUILDKIT_INLINE_CACHE"
"""The build argument that asks for an image which later builds can take steps from."""
_WAYS = "use an image's name, type=registry,ref=NAME, or (argosy build) type=local,src=DIRECTORY"


@dataclass(frozen=True, slots=True)
class CacheSource:
    """``plain``: a name alone, as the classic builder has it: nothing but what such images hold counts as cached."""

    reference: str
    plain: bool = True
    fetched: bool = False
    """It is asked for at its registry, as it may have changed there."""


def parse(text: str) -> CacheSource:
    """Raises InvalidParameterError on a type that is not served here, or without what it needs."""
    if "=" not in text:
        return CacheSource(text)
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    kind, reference = fields.get("type", ""), fields.get("ref", "")
    if kind == "local":
        raise InvalidParameterError(f"cache source {text}: a directory lies with the client, which has to send it: {_WAYS}")
    if kind not in ("registry", "image"):
        raise InvalidParameterError(f"cache source {text}: cache of type {kind or '(none)'} is not supported: {_WAYS}")
    if not reference:
        raise InvalidParameterError(f"cache source {text}: it names no image: add ref=NAME")
    return CacheSource(reference, plain=False, fetched=kind == "registry")
