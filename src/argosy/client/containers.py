"""Calls about containers. ``ref`` is a name, an id or a prefix of one."""

from __future__ import annotations

from argosy.client.call import Call, Hijack, Stream, document, documents, filters, json_call, nothing, raw
from argosy.client.http import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from argosy.client.call import Payload


def _path(ref: str, verb: str = "") -> str:
    return f"/containers/{quote(ref).replace('/', '%2F')}{'/' if verb else ''}{verb}"


def list_(
    *, all_: bool = False, limit: int = 0, size: bool = False, wanted: Mapping[str, Iterable[str]] | None = None
) -> Call[list[dict[str, Any]]]:
    """List containers, running ones unless ``all_``; ``limit`` newest where it is positive."""
    query = {"all": all_, "limit": limit if limit > 0 else None, "size": size, "filters": filters(wanted)}
    return Call("GET", "/containers/json", documents, query=query)


def create(document_: Mapping[str, Any], name: str = "", platform: str = "") -> Call[dict[str, Any]]:
    """Create a container; the document is the API's ContainerConfig with HostConfig and NetworkingConfig."""
    return json_call("POST", "/containers/create", document_, document, query={"name": name or None, "platform": platform or None})


def inspect(ref: str, size: bool = False) -> Call[dict[str, Any]]:
    return Call("GET", _path(ref, "json"), document, query={"size": size})


def inspect_raw(ref: str, size: bool = False) -> Call[bytes]:
    return Call("GET", _path(ref, "json"), raw, query={"size": size})


def start(ref: str, detach_keys: str = "", *, checkpoint: str = "", checkpoint_dir: str = "") -> Call[None]:
    query = {"detachKeys": detach_keys or None, "checkpoint": checkpoint or None, "checkpoint-dir": checkpoint_dir or None}
    return Call("POST", _path(ref, "start"), nothing, query=query)


def stop(ref: str, seconds: int | None = None, signal: str = "") -> Call[None]:
    return Call("POST", _path(ref, "stop"), nothing, query={"t": seconds, "signal": signal or None})


def restart(ref: str, seconds: int | None = None, signal: str = "") -> Call[None]:
    return Call("POST", _path(ref, "restart"), nothing, query={"t": seconds, "signal": signal or None})


def kill(ref: str, signal: str = "") -> Call[None]:
    return Call("POST", _path(ref, "kill"), nothing, query={"signal": signal or None})


def pause(ref: str) -> Call[None]:
    return Call("POST", _path(ref, "pause"), nothing)


def unpause(ref: str) -> Call[None]:
    return Call("POST", _path(ref, "unpause"), nothing)


def rename(ref: str, name: str) -> Call[None]:
    return Call("POST", _path(ref, "rename"), nothing, query={"name": name})


def remove(ref: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> Call[None]:
    return Call("DELETE", _path(ref), nothing, query={"force": force, "v": volumes, "link": link})


def wait(ref: str, condition: str = "") -> Stream[dict[str, Any]]:
    """Yield one document when the condition holds: not-running, next-exit or removed.

    The head of the answer comes when the daemon has begun to watch: what is started after that is not missed.
    """
    return Stream("POST", _path(ref, "wait"), document, query={"condition": condition or None})


def update(ref: str, document_: Mapping[str, Any]) -> Call[dict[str, Any]]:
    return json_call("POST", _path(ref, "update"), document_, document)


def top(ref: str, arguments: str = "") -> Call[dict[str, Any]]:
    return Call("GET", _path(ref, "top"), document, query={"ps_args": arguments or None})


def changes(ref: str) -> Call[list[dict[str, Any]]]:
    return Call("GET", _path(ref, "changes"), documents)


def export(ref: str) -> Stream[bytes]:
    return Stream("GET", _path(ref, "export"), raw, lines=False)


def stats(ref: str, *, stream: bool = True, one_shot: bool = False) -> Stream[dict[str, Any]]:
    query = [("stream", "1" if stream else "0")] + ([("one-shot", "1")] if one_shot else [])
    return Stream("GET", _path(ref, "stats"), document, query=query)


def logs(
    ref: str,
    *,
    stdout: bool = True,
    stderr: bool = True,
    follow: bool = False,
    since: str = "",
    until: str = "",
    timestamps: bool = False,
    details: bool = False,
    tail: str = "",
) -> Stream[bytes]:
    """Stream the log; framed as `stdcopy` says unless the container has a terminal."""
    query = {
        "stdout": stdout,
        "stderr": stderr,
        "follow": follow,
        "since": since or None,
        "until": until or None,
        "timestamps": timestamps,
        "details": details,
        "tail": tail or None,
    }
    return Stream("GET", _path(ref, "logs"), raw, lines=False, query=query)


def attach(ref: str, *, stdin: bool = False, stdout: bool = True, stderr: bool = True, logs: bool = False, detach_keys: str = "") -> Hijack:
    """Take over the container's streams; with a terminal they are one raw stream, else framed."""
    query = {"stream": True, "stdin": stdin, "stdout": stdout, "stderr": stderr, "logs": logs, "detachKeys": detach_keys or None}
    return Hijack(_path(ref, "attach"), query=query)


def resize(ref: str, rows: int, columns: int) -> Call[None]:
    return Call("POST", _path(ref, "resize"), nothing, query={"h": rows, "w": columns})


def archive_get(ref: str, path: str) -> Stream[bytes]:
    """Stream a tar of a path; the answer's ``X-Docker-Container-Path-Stat`` describes it (see `path_stat`)."""
    return Stream("GET", _path(ref, "archive"), raw, lines=False, query={"path": path})


def archive_stat(ref: str, path: str) -> Call[None]:
    return Call("HEAD", _path(ref, "archive"), nothing, query={"path": path})


def archive_put(ref: str, path: str, content: Payload, *, no_overwrite: bool = False, copy_ids: bool = False) -> Call[None]:
    query: dict[str, str | int | bool | None] = {"path": path, "noOverwriteDirNonDir": no_overwrite, "copyUIDGID": copy_ids}
    return Call("PUT", _path(ref, "archive"), nothing, query=query, body=content, headers={"Content-Type": "application/x-tar"})


def path_stat(header: str) -> dict[str, Any]:
    """Decode ``X-Docker-Container-Path-Stat``: name, size, mode (Go's FileMode), mtime, linkTarget."""
    import json
    from base64 import b64decode

    value = json.loads(b64decode(header))
    return value if isinstance(value, dict) else {}


def prune(wanted: Mapping[str, Iterable[str]] | None = None) -> Call[dict[str, Any]]:
    return Call("POST", "/containers/prune", document, query={"filters": filters(wanted)})


def commit(
    ref: str, *, repository: str = "", tag: str = "", comment: str = "", author: str = "", changes: Iterable[str] = (), pause: bool = True
) -> Call[dict[str, Any]]:
    """Make an image of a container; ``changes`` are Dockerfile instructions."""
    query = [("container", ref), ("repo", repository), ("tag", tag), ("comment", comment), ("author", author)]
    query = [(key, value) for key, value in query if value]
    query += [("changes", change) for change in changes] + ([] if pause else [("pause", "0")])
    return Call("POST", "/commit", document, query=query, body=b"{}", headers={"Content-Type": "application/json"})
