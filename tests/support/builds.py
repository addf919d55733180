"""Builds by the API alone: a context packed here, the messages taken apart."""

import io
import json
import tarfile
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from support.daemon import Daemon


def context(files: Mapping[str, str | bytes | tarfile.TarInfo]) -> bytes:
    """Return a tar of these files, all of one time; a TarInfo stands for itself."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), 1_000_000_000, 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@dataclass(frozen=True)
class Built:
    status: int
    messages: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """Return the stream."""
        return "".join(message.get("stream", "") for message in self.messages)

    @property
    def id(self) -> str:
        """Return the image's id, empty when there is none."""
        return next((message["aux"]["ID"] for message in self.messages if "aux" in message), "")

    @property
    def error(self) -> str:
        """Return what went wrong, empty when nothing did."""
        return next((text for message in self.messages if (text := message.get("error") or message.get("message"))), "")

    @property
    def cached(self) -> int:
        """Return how many steps came from the cache."""
        return self.text.count("Using cache")


def build(
    daemon: Daemon,
    text: str,
    files: Mapping[str, str | bytes | tarfile.TarInfo] | None = None,
    /,
    *,
    headers: Mapping[str, str] | None = None,
    **query: Any,
) -> Built:
    """Build and return what was said; dictionaries and lists of the query are sent as JSON, ``t`` as it is."""
    pairs = [(name, json.dumps(value) if isinstance(value, dict | list) else value) for name, value in query.items()]
    body = context({"Dockerfile": text, **(files or {})})
    status, _, data = daemon.api.raw(
        "POST", "/build?" + urllib.parse.urlencode(pairs), body, {"Content-Type": "application/x-tar", **(headers or {})}
    )
    return Built(status, [json.loads(line) for line in data.splitlines() if line.strip()])


def run(daemon: Daemon, image: str, *command: str) -> str:
    """Run a command in a container of the image and return what it wrote."""
    made = daemon.api("POST", "/containers/create", {"Image": image, "Cmd": list(command), "HostConfig": {"NetworkMode": "none"}})["Id"]
    daemon.api("POST", f"/containers/{made}/start")
    daemon.api("POST", f"/containers/{made}/wait")
    _, _, logs = daemon.api.raw("GET", f"/containers/{made}/logs?stdout=1&stderr=1")
    daemon.api("DELETE", f"/containers/{made}?force=1")
    text, at = b"", 0
    while at + 8 <= len(logs):
        size = int.from_bytes(logs[at + 4 : at + 8], "big")
        text += logs[at + 8 : at + 8 + size]
        at += 8 + size
    return text.decode()
