"""Calls about networks."""

from __future__ import annotations

from argosy.client.call import Call, document, documents, filters, json_call, nothing
from argosy.client.http import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def _path(ref: str, verb: str = "") -> str:
    return f"/networks/{quote(ref).replace('/', '%2F')}{'/' if verb else ''}{verb}"


def list_(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[list[dict[str, Any]]]:
    return Call("GET", "/networks", documents, query={"filters": filters(wanted)})


def create(document_: Mapping[str, Any]) -> Call[dict[str, Any]]:
    return json_call("POST", "/networks/create", document_, document)


def inspect(ref: str, *, verbose: bool = False, scope: str = "") -> Call[dict[str, Any]]:
    return Call("GET", _path(ref), document, query={"verbose": verbose, "scope": scope or None})


def remove(ref: str) -> Call[None]:
    return Call("DELETE", _path(ref), nothing)


def connect(ref: str, container: str, endpoint: Mapping[str, Any]) -> Call[None]:
    return json_call("POST", _path(ref, "connect"), {"Container": container, "EndpointConfig": dict(endpoint)}, nothing)


def disconnect(ref: str, container: str, *, force: bool = False) -> Call[None]:
    return json_call("POST", _path(ref, "disconnect"), {"Container": container, "Force": force}, nothing)


def prune(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[dict[str, Any]]:
    return Call("POST", "/networks/prune", document, query={"filters": filters(wanted)})


def limit(ref: str, container: str, *, down: str | None = None, up: str | None = None) -> Call[None]:
    """Change how much a container may receive and send in a network, as in ``8mbit``; ``none`` lifts a limit. Argosy's own."""
    asked = {key: rate for key, rate in (("Down", down), ("Up", up)) if rate is not None}
    return json_call("POST", _path(ref, "bandwidth"), {"Container": container, **asked}, nothing)


def ports() -> Call[dict[str, Any]]:
    """Return ``Policy`` and who can reach each published port (``From``: null for everybody, empty for this host). Argosy's own."""
    return Call("GET", "/ports", document)
