"""The grammar of paths: repository names, tags, digests, and which noun a path means.

Distribution specification, "Pulling manifests" and "Endpoints". Paths are read from their end, because a repository may be called
``a/manifests`` or ``blobs/uploads``.
"""

import re
from dataclasses import dataclass

from argosy.oci import digest as digests
from argosy.registry.errors import RegistryError, manifest_unknown

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\Z")
_UPLOAD = re.compile(r"[0-9a-f]{32}\Z")
LONGEST_NAME = 255

PREFIX = "/v2/"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means. ``noun``: base, catalog, tags, manifest, blob, uploads (to begin one), upload, referrers."""

    noun: str
    name: str = ""
    reference: str = ""
    """Tag, digest or upload id."""


def target_of(path: str) -> Target | None:
    """Return what a path below ``/v2/`` means; None when it means nothing. Raises RegistryError NAME_INVALID."""
    if path in ("/v2", PREFIX):
        return Target("base")
    if not path.startswith(PREFIX):
        return None
    parts = path[len(PREFIX) :].split("/")
    if parts == ["_catalog"]:
        return Target("catalog")
    found = _noun(parts)
    if found is None:
        return None
    noun, length, reference = found
    name = "/".join(parts[:-length])
    check_name(name)
    return Target(noun, name, reference)


def _noun(parts: list[str]) -> tuple[str, int, str] | None:
    """Return noun, how many parts at the end belong to it, reference."""
    if len(parts) < 3:
        return None
    last, before = parts[-1], parts[-2]
    if before == "tags" and last == "list":
        return "tags", 2, ""
    if before == "manifests":
        return "manifest", 2, last
    if before == "referrers":
        return "referrers", 2, last
    if len(parts) > 3 and parts[-3:-1] == ["blobs", "uploads"]:
        return ("upload", 3, last) if last else ("uploads", 3, "")
    if before == "blobs":
        return ("uploads", 2, "") if last == "uploads" else ("blob", 2, last)
    return None


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and _NAME.match(text) is not None


def check_name(name: str) -> None:
    """Raises RegistryError NAME_INVALID."""
    if not is_name(name):
        raise RegistryError("NAME_INVALID", detail={"name": name})


def is_tag(text: str) -> bool:
    return _TAG.match(text) is not None


def is_upload(text: str) -> bool:
    return _UPLOAD.match(text) is not None


def check_digest(text: str) -> str:
    """Return the digest. Raises RegistryError DIGEST_INVALID unless it is of an algorithm we know and of its length."""
    if not digests.is_digest(text):
        raise RegistryError(
            "DIGEST_INVALID", f"invalid digest: {text!r} is not sha256:… or sha512:… in lower-case hex", detail={"digest": text}
        )
    return text


def check_reference(name: str, reference: str) -> None:
    """Raises RegistryError MANIFEST_UNKNOWN for what no manifest can be called."""
    if not (is_tag(reference) or digests.is_digest(reference)):
        raise manifest_unknown(name, reference)
