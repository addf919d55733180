"""Calls about programs run in a container beside its own."""

from __future__ import annotations

import json

from argosy.client.call import Call, Hijack, document, documents, json_call, nothing
from argosy.client.http import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def create(ref: str, document_: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Prepare an exec; the document is the API's ExecConfig. The answer holds its ``Id``."""
    return json_call("POST", f"/containers/{quote(ref).replace('/', '%2F')}/exec", document_, document)


def start(exec_id: str, *, tty: bool = False, size: tuple[int, int] | None = None) -> Hijack:
    """Run it with its streams attached; ``size`` is rows and columns of the terminal."""
    document_: dict[str, Any] = {"Detach": False, "Tty": tty}
    if size is not None:
        document_["ConsoleSize"] = list(size)
    return Hijack(f"/exec/{exec_id}/start", body=json.dumps(document_).encode())


def start_detached(exec_id: str, *, tty: bool = False) -> Call[None]:
    return json_call("POST", f"/exec/{exec_id}/start", {"Detach": True, "Tty": tty}, nothing)


def inspect(exec_id: str) -> Call[dict[str, Any]]:
    return Call("GET", f"/exec/{exec_id}/json", document)


def resize(exec_id: str, rows: int, columns: int) -> Call[None]:
    return Call("POST", f"/exec/{exec_id}/resize", nothing, query={"h": rows, "w": columns})


def list_(ref: str) -> Call[list[dict[str, Any]]]:
    """List a container's execs; Argosy's own, a Docker daemon answers 404."""
    return Call("GET", f"/containers/{quote(ref).replace('/', '%2F')}/execs", documents)


def kill(exec_id: str, signal: str = "") -> Call[None]:
    """Send a signal to an exec; Argosy's own."""
    return Call("POST", f"/exec/{exec_id}/kill", nothing, query={"signal": signal or None})
