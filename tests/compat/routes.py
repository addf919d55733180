"""One request that succeeds and one that is refused for every route of the API description outside swarm, as values."""

import io
import tarfile
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """``target`` may name what the test makes for it alone: {new} {run} {tty} (containers), {exec} {net} {vol} {image} {name}."""

    method: str
    path: str
    """As described."""
    target: str
    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.target} {self.status}"


def tar_of(**files: str) -> bytes:
    """Return a tar archive of text files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


NONE = "0" * 64
SWARM = ("Swarm", "Node", "Service", "Task", "Secret", "Config")
_UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "tcp"))
_WEBSOCKET = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ("Origin", "http://localhost"),
)
_H2C = (("Connection", "Upgrade"), ("Upgrade", "h2c"))
_TAR = (("Content-Type", "application/x-tar"),)
_BUILD = tar_of(Dockerfile="FROM busybox\nLABEL a=b\n")

_C = "/containers/{id}"
CASES = (
    Case("GET", "/containers/json", "/containers/json?all=1&size=1", 200),
    Case("GET", "/containers/json", '/containers/json?filters={{"nope":["x"]}}', 400),
    Case("POST", "/containers/create", "/containers/create?name={name}", 201, {"Image": "busybox", "Cmd": ["true"]}),
    Case("POST", "/containers/create", "/containers/create", 404, {"Image": "127.0.0.1:9/nope"}),
    Case("GET", f"{_C}/json", "/containers/{run}/json?size=1", 200),
    Case("GET", f"{_C}/json", f"/containers/{NONE}/json", 404),
    Case("GET", f"{_C}/top", "/containers/{run}/top", 200),
    Case("GET", f"{_C}/top", "/containers/{new}/top", 409),
    Case("GET", f"{_C}/logs", "/containers/{run}/logs?stdout=1", 200),
    Case("GET", f"{_C}/logs", "/containers/{new}/logs", 400),
    Case("GET", f"{_C}/changes", "/containers/{run}/changes", 200),
    Case("GET", f"{_C}/changes", f"/containers/{NONE}/changes", 404),
    Case("GET", f"{_C}/export", "/containers/{new}/export", 200),
    Case("GET", f"{_C}/export", f"/containers/{NONE}/export", 404),
    Case("GET", f"{_C}/stats", "/containers/{run}/stats?stream=0", 200),
    Case("GET", f"{_C}/stats", f"/containers/{NONE}/stats?stream=0", 404),
    Case("POST", f"{_C}/resize", "/containers/{tty}/resize?h=20&w=40", 200),
    Case("POST", f"{_C}/resize", "/containers/{tty}/resize?h=x&w=40", 400),
    Case("POST", f"{_C}/start", "/containers/{new}/start", 204),
    Case("POST", f"{_C}/start", "/containers/{run}/start", 304),
    Case("POST", f"{_C}/stop", "/containers/{run}/stop?t=0", 204),
    Case("POST", f"{_C}/stop", "/containers/{new}/stop", 304),
    Case("POST", f"{_C}/restart", "/containers/{run}/restart?t=0", 204),
    Case("POST", f"{_C}/restart", f"/containers/{NONE}/restart", 404),
    Case("POST", f"{_C}/kill", "/containers/{run}/kill", 204),
    Case("POST", f"{_C}/kill", "/containers/{new}/kill", 409),
    Case("POST", f"{_C}/update", "/containers/{run}/update", 200, {"CpuShares": 512}),
    Case("POST", f"{_C}/update", f"/containers/{NONE}/update", 404, {"CpuShares": 512}),
    Case("POST", f"{_C}/rename", "/containers/{new}/rename?name={name}", 204),
    Case("POST", f"{_C}/rename", "/containers/{new}/rename?name={run}", 409),
    Case("POST", f"{_C}/pause", "/containers/{run}/pause", 204),
    Case("POST", f"{_C}/pause", "/containers/{new}/pause", 409),
    Case("POST", f"{_C}/unpause", "/containers/{paused}/unpause", 204),
    Case("POST", f"{_C}/unpause", "/containers/{run}/unpause", 409),
    Case("POST", f"{_C}/attach", "/containers/{run}/attach?stream=1&stdout=1", 101, None, _UPGRADE),
    Case("POST", f"{_C}/attach", f"/containers/{NONE}/attach?stream=1", 404, None, _UPGRADE),
    Case("GET", f"{_C}/attach/ws", "/containers/{run}/attach/ws?stream=1&stdout=1", 101, None, _WEBSOCKET),
    Case("GET", f"{_C}/attach/ws", f"/containers/{NONE}/attach/ws?stream=1", 404, None, _WEBSOCKET),
    Case("POST", f"{_C}/wait", "/containers/{new}/wait", 200),
    Case("POST", f"{_C}/wait", "/containers/{new}/wait?condition=nope", 400),
    Case("DELETE", _C, "/containers/{new}?v=1", 204),
    Case("DELETE", _C, "/containers/{run}", 409),
    Case("HEAD", f"{_C}/archive", "/containers/{new}/archive?path=/bin", 200),
    Case("HEAD", f"{_C}/archive", "/containers/{new}/archive?path=/nope", 404),
    Case("GET", f"{_C}/archive", "/containers/{new}/archive?path=/bin/busybox", 200),
    Case("GET", f"{_C}/archive", "/containers/{new}/archive", 400),
    Case("PUT", f"{_C}/archive", "/containers/{new}/archive?path=/", 200, tar_of(file="text"), _TAR),
    Case("PUT", f"{_C}/archive", "/containers/{new}/archive?path=/nope", 404, tar_of(file="text"), _TAR),
    Case("POST", "/containers/prune", '/containers/prune?filters={{"label":["nobody-has-this"]}}', 200),
    Case("POST", "/containers/prune", '/containers/prune?filters={{"nope":["x"]}}', 400),
    Case("GET", "/images/json", "/images/json?all=1&digests=1", 200),
    Case("GET", "/images/json", '/images/json?filters={{"nope":["x"]}}', 400),
    Case("POST", "/build", "/build?t={name}:made", 200, _BUILD, _TAR),
    Case("POST", "/build", "/build?dockerfile=nope", 400, _BUILD, _TAR),
    Case("POST", "/build/prune", '/build/prune?filters={{"id":["nope"]}}', 200),
    Case("POST", "/build/prune", "/build/prune?filters=[", 400),
    Case("POST", "/images/create", "/images/create?fromSrc=-&repo={name}&tag=made", 200, tar_of(file="text"), _TAR),
    Case("POST", "/images/create", "/images/create?fromImage=UPPER", 400),
    Case("GET", "/images/{name}/json", "/images/busybox/json", 200),
    Case("GET", "/images/{name}/json", "/images/nope/json", 404),
    Case("GET", "/images/{name}/attestations", "/images/busybox/attestations", 200),
    Case("GET", "/images/{name}/attestations", "/images/nope/attestations", 404),
    Case("GET", "/images/{name}/history", "/images/busybox/history", 200),
    Case("GET", "/images/{name}/history", "/images/nope/history", 404),
    Case("POST", "/images/{name}/push", "/images/UPPER/push", 400, None, (("X-Registry-Auth", "e30="),)),
    Case("POST", "/images/{name}/push", "/images/{image}/push", 200, None, (("X-Registry-Auth", "e30="),)),
    Case("POST", "/images/{name}/tag", "/images/busybox/tag?repo={name}&tag=made", 201),
    Case("POST", "/images/{name}/tag", "/images/nope/tag?repo={name}", 404),
    Case("DELETE", "/images/{name}", "/images/{image}", 200),
    Case("DELETE", "/images/{name}", "/images/nope", 404),
    Case("GET", "/images/search", "/images/search?term=127.0.0.1:9/x&limit=1000", 400),
    Case("POST", "/images/prune", '/images/prune?filters={{"label":["nobody-has-this"]}}', 200),
    Case("POST", "/images/prune", '/images/prune?filters={{"nope":["x"]}}', 400),
    Case("POST", "/auth", "/auth", 400, b"{", (("Content-Type", "application/json"),)),
    Case("GET", "/info", "/info", 200),
    Case("GET", "/version", "/version", 200),
    Case("GET", "/_ping", "/_ping", 200),
    Case("HEAD", "/_ping", "/_ping", 200),
    Case("POST", "/commit", "/commit?container={new}&repo={name}&tag=made", 201),
    Case("POST", "/commit", f"/commit?container={NONE}", 404),
    Case("GET", "/events", "/events?since=1&until=2", 200),
    Case("GET", "/events", "/events?since=2&until=1", 400),
    Case("GET", "/system/df", "/system/df?verbose=1", 200),
    Case("GET", "/system/df", "/system/df?type=nope", 400),
    Case("GET", "/images/{name}/get", "/images/busybox/get", 200),
    Case("GET", "/images/{name}/get", "/images/nope/get", 404),
    Case("GET", "/images/get", "/images/get?names=busybox", 200),
    Case("GET", "/images/get", "/images/get?names=nope", 404),
    Case("POST", "/images/load", "/images/load", 200, b"", _TAR),
    Case("POST", "/images/load", "/images/load?platform={{", 400, tar_of(file="text"), _TAR),
    Case("POST", f"{_C}/exec", "/containers/{run}/exec", 201, {"Cmd": ["true"]}),
    Case("POST", f"{_C}/exec", "/containers/{new}/exec", 409, {"Cmd": ["true"]}),
    Case("POST", "/exec/{id}/start", "/exec/{exec}/start", 200, {"Detach": True}),
    Case("POST", "/exec/{id}/start", f"/exec/{NONE}/start", 404, {"Detach": True}),
    Case("POST", "/exec/{id}/resize", "/exec/{running_exec}/resize?h=20&w=40", 200),
    Case("POST", "/exec/{id}/resize", f"/exec/{NONE}/resize?h=20&w=40", 404),
    Case("GET", "/exec/{id}/json", "/exec/{exec}/json", 200),
    Case("GET", "/exec/{id}/json", f"/exec/{NONE}/json", 404),
    Case("GET", "/volumes", "/volumes", 200),
    Case("GET", "/volumes", '/volumes?filters={{"nope":["x"]}}', 400),
    Case("POST", "/volumes/create", "/volumes/create", 201, {"Name": "{name}", "Labels": {"a": "b"}}),
    Case("POST", "/volumes/create", "/volumes/create", 400, {"Name": "not/a/name"}),
    Case("GET", "/volumes/{name}", "/volumes/{vol}", 200),
    Case("GET", "/volumes/{name}", "/volumes/nope", 404),
    Case("PUT", "/volumes/{name}", "/volumes/{vol}?version=1", 503, {"Spec": {"Availability": "active"}}),
    Case("DELETE", "/volumes/{name}", "/volumes/{vol}", 204),
    Case("DELETE", "/volumes/{name}", "/volumes/nope", 404),
    Case("POST", "/volumes/prune", '/volumes/prune?filters={{"label":["nobody-has-this"]}}', 200),
    Case("POST", "/volumes/prune", '/volumes/prune?filters={{"nope":["x"]}}', 400),
    Case("GET", "/networks", "/networks", 200),
    Case("GET", "/networks", '/networks?filters={{"nope":["x"]}}', 400),
    Case("GET", "/networks/{id}", "/networks/{net}?verbose=1", 200),
    Case("GET", "/networks/{id}", "/networks/nope", 404),
    Case("DELETE", "/networks/{id}", "/networks/{net}", 204),
    Case("DELETE", "/networks/{id}", "/networks/bridge", 403),
    Case("POST", "/networks/create", "/networks/create", 201, {"Name": "{name}"}),
    Case("POST", "/networks/create", "/networks/create", 403, {"Name": "bridge"}),
    Case("POST", "/networks/{id}/connect", "/networks/{net}/connect", 200, {"Container": "{new}"}),
    Case("POST", "/networks/{id}/connect", "/networks/nope/connect", 404, {"Container": "{new}"}),
    Case("POST", "/networks/{id}/disconnect", "/networks/bridge/disconnect", 200, {"Container": "{run}"}),
    Case("POST", "/networks/{id}/disconnect", "/networks/nope/disconnect", 404, {"Container": "{run}"}),
    Case("POST", "/networks/prune", '/networks/prune?filters={{"label":["nobody-has-this"]}}', 200),
    Case("POST", "/networks/prune", '/networks/prune?filters={{"nope":["x"]}}', 400),
    Case("GET", "/plugins", "/plugins", 200),
    Case("GET", "/plugins/{name}/json", "/plugins/nope/json", 404),
    Case("DELETE", "/plugins/{name}", "/plugins/nope", 404),
    Case("POST", "/plugins/{name}/enable", "/plugins/nope/enable?timeout=1", 404),
    Case("POST", "/plugins/{name}/disable", "/plugins/nope/disable", 404),
    Case("POST", "/plugins/{name}/push", "/plugins/nope/push", 404),
    Case("POST", "/plugins/{name}/set", "/plugins/nope/set", 404, ["A=b"]),
    Case("POST", "/session", "/session", 400, None, _H2C),
)

# What is answered 501 with a reason: where a Docker would go to a hub, and what is not made yet. Plugins of others are not found.
REFUSED = (
    Case("GET", "/plugins/privileges", "/plugins/privileges?remote=x/y", 501),
    Case("POST", "/plugins/pull", "/plugins/pull?remote=x/y", 501, []),
    Case("POST", "/plugins/create", "/plugins/create?name=x", 501, b"", _TAR),
    Case("POST", "/plugins/{name}/upgrade", "/plugins/x/upgrade?remote=x/y", 501, []),
    Case("POST", "/volumes/create", "/volumes/create", 404, {"Name": "{name}", "Driver": "a-legacy-plugin"}),
    Case("POST", "/networks/create", "/networks/create", 404, {"Name": "{name}", "Driver": "a-legacy-plugin"}),
)

# Covered where a hub is at hand: success of these in tests/contract and in the tests of registries.
NEEDS_A_REGISTRY = {("GET", "/distribution/{name}/json"), ("GET", "/images/search"), ("POST", "/auth"), ("POST", "/images/{name}/push")}
