"""Calls about volumes."""

from __future__ import annotations

from argosy.client.call import Call, document, filters, json_call, nothing
from argosy.client.http import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def _path(name: str) -> str:
    return f"/volumes/{quote(name).replace('/', '%2F')}"


def list_(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[dict[str, Any]]:
    """Return ``Volumes`` (may be null) and ``Warnings``."""
    return Call("GET", "/volumes", document, query={"filters": filters(wanted)})


def create(document_: Mapping[str, Any]) -> Call[dict[str, Any]]:
    return json_call("POST", "/volumes/create", document_, document)


def inspect(name: str) -> Call[dict[str, Any]]:
    return Call("GET", _path(name), document)


def remove(name: str, *, force: bool = False) -> Call[None]:
    return Call("DELETE", _path(name), nothing, query={"force": force})


def prune(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[dict[str, Any]]:
    return Call("POST", "/volumes/prune", document, query={"filters": filters(wanted)})
