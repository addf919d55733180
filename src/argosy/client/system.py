"""Calls about the daemon itself."""

from __future__ import annotations

import json

from argosy.client.call import Call, Stream, document, filters, json_call, nothing, progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def ping() -> Call[None]:
    """HEAD /_ping: the answer's fields tell the newest API version."""
    return Call("HEAD", "/_ping", nothing)


def version() -> Call[dict[str, Any]]:
    return Call("GET", "/version", document)


def info() -> Call[dict[str, Any]]:
    return Call("GET", "/info", document)


def df(types: Iterable[str] = (), verbose: bool = False) -> Call[dict[str, Any]]:
    """Return what takes space; ``types`` of container, image, volume, build-cache."""
    query = [("type", name) for name in types]
    return Call("GET", "/system/df", document, query=[*query, ("verbose", "1")] if verbose else query)


def events(since: str | None = None, until: str | None = None, wanted: Mapping[str, Iterable[str]] | None = None) -> Stream[dict[str, Any]]:
    """Stream events; ``since`` and ``until`` as seconds with nanoseconds after a dot."""
    return Stream("GET", "/events", document, query={"since": since, "until": until, "filters": filters(wanted)})


def auth(login: Mapping[str, str]) -> Call[dict[str, Any]]:
    """Try a login at a registry."""
    return json_call("POST", "/auth", dict(login), lambda body: document(body) if body.strip() else {})


def build(
    context: Any,
    options: Mapping[str, str | int | bool | None],
    *,
    repeated: Iterable[tuple[str, str]] = (),
    registries: str = "",
    media_type: str = "application/x-tar",
    secrets: Mapping[str, bytes] | None = None,
    detailed: bool = False,
) -> Stream[dict[str, Any]]:
    """Build an image from a tar stream; ``repeated`` are parameters that may come several times, such as ``t``.

    ``detailed`` asks our own daemon for ``vertex`` messages about steps beside the classic stream; others do not know it.
    """
    query = [(key, "1" if value is True else str(value)) for key, value in options.items() if value not in (None, False)]
    headers = {"Content-Type": media_type}
    if registries:
        headers["X-Registry-Config"] = registries
    if secrets:
        from base64 import b64encode

        headers["X-Argosy-Build-Secrets"] = registry_auth({name: b64encode(value).decode() for name, value in secrets.items()})
    if detailed:
        headers["X-Argosy-Build-Progress"] = "1"
    return Stream("POST", "/build", progress, query=[*query, *repeated], body=context, headers=headers)


def build_prune(
    everything: bool = False, wanted: Mapping[str, Iterable[str]] | None = None, limits: Mapping[str, int] | None = None
) -> Call[dict[str, Any]]:
    """Remove build cache; ``limits`` are bytes by ``reserved-space``, ``max-used-space`` and ``min-free-space``."""
    return Call("POST", "/build/prune", document, query={"all": everything, "filters": filters(wanted), **(limits or {})})


def registry_auth(login: Mapping[str, Any]) -> str:
    """Return the value of ``X-Registry-Auth``: JSON in the URL-safe base64 alphabet."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(json.dumps(login).encode()).decode()
