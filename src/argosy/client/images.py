"""Calls about images. ``ref`` is ``name[:tag][@digest]`` or an id."""

from __future__ import annotations

from argosy.client.call import Call, Stream, document, documents, filters, nothing, progress, raw
from argosy.client.http import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from argosy.client.call import Payload


def _path(ref: str, verb: str = "") -> str:
    return f"/images/{quote(ref)}{'/' if verb else ''}{verb}"


def list_(
    *,
    all_: bool = False,
    digests: bool = False,
    shared_size: bool = False,
    manifests: bool = False,
    wanted: Mapping[str, Iterable[str]] | None = None,
) -> Call[list[dict[str, Any]]]:
    query = {"all": all_, "digests": digests, "shared-size": shared_size, "manifests": manifests, "filters": filters(wanted)}
    return Call("GET", "/images/json", documents, query=query)


def inspect(ref: str, platform: str = "") -> Call[dict[str, Any]]:
    return Call("GET", _path(ref, "json"), document, query={"platform": platform_json(platform)})


def history(ref: str, platform: str = "") -> Call[list[dict[str, Any]]]:
    return Call("GET", _path(ref, "history"), documents, query={"platform": platform_json(platform)})


def tag(ref: str, repository: str, tag_: str) -> Call[None]:
    return Call("POST", _path(ref, "tag"), nothing, query={"repo": repository, "tag": tag_})


def remove(ref: str, *, force: bool = False, no_prune: bool = False, platforms: Iterable[str] = ()) -> Call[list[dict[str, Any]]]:
    query = [("force", "1")] * force + [("noprune", "1")] * no_prune + [("platforms", platform_json(name) or "") for name in platforms]
    return Call("DELETE", _path(ref), documents, query=query)


def pull(repository: str, tag_: str = "", *, platform: str = "", auth: str = "") -> Stream[dict[str, Any]]:
    """Fetch from a registry; yields progress documents, raises StreamedError for an error among them."""
    headers = {"X-Registry-Auth": auth} if auth else {}
    query = {"fromImage": repository, "tag": tag_ or None, "platform": platform or None}
    return Stream("POST", "/images/create", progress, query=query, headers=headers)


def import_(
    source: str,
    content: Payload | None,
    *,
    repository: str = "",
    tag_: str = "",
    message: str = "",
    changes: Iterable[str] = (),
    platform: str = "",
) -> Stream[dict[str, Any]]:
    """Make an image of a tar of a root filesystem; ``source`` is ``-`` for ``content``, else a URL for the daemon to fetch."""
    query = [("fromSrc", source), ("repo", repository), ("tag", tag_), ("message", message), ("platform", platform)]
    query = [(key, value) for key, value in query if value] + [("changes", change) for change in changes]
    return Stream("POST", "/images/create", progress, query=query, body=content, headers={"Content-Type": "application/x-tar"})


def push(ref: str, tag_: str = "", *, platform: str = "", auth: str = "e30=") -> Stream[dict[str, Any]]:
    """Send to a registry; the daemon insists on the login's field, ``e30=`` is an empty one."""
    query = {"tag": tag_ or None, "platform": platform_json(platform)}
    return Stream("POST", _path(ref, "push"), progress, query=query, headers={"X-Registry-Auth": auth})


def save(refs: Iterable[str], platform: str = "") -> Stream[bytes]:
    query = [("names", ref) for ref in refs] + ([("platform", platform_json(platform) or "")] if platform else [])
    return Stream("GET", "/images/get", raw, lines=False, query=query)


def load(content: Payload, *, quiet: bool = False, platform: str = "") -> Stream[dict[str, Any]]:
    query = [("quiet", "1" if quiet else "0")] + ([("platform", platform_json(platform) or "")] if platform else [])
    return Stream("POST", "/images/load", progress, query=query, body=content, headers={"Content-Type": "application/x-tar"})


def search(term: str, limit: int = 0, wanted: Mapping[str, Iterable[str]] | None = None, auth: str = "") -> Call[list[dict[str, Any]]]:
    headers = {"X-Registry-Auth": auth} if auth else {}
    query = {"term": term, "limit": limit or None, "filters": filters(wanted)}
    return Call("GET", "/images/search", documents, query=query, headers=headers)


def prune(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[dict[str, Any]]:
    return Call("POST", "/images/prune", document, query={"filters": filters(wanted)})


def platform_json(text: str) -> str | None:
    """Return ``os/arch/variant`` as the JSON object that parameters of newer calls want, None for nothing."""
    import json

    if not text:
        return None
    names = ("os", "architecture", "variant")
    parts = text.split("/")
    if len(parts) == 1 and parts[0] not in ("linux", "windows", "darwin", "freebsd"):
        parts = ["linux", *parts]
    return json.dumps(dict(zip(names, parts)), separators=(",", ":"))
