"""Every route of the API description outside swarm, on a live engine: it is served, refuses in the described shape, answers by schema."""

import json
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat.routes import CASES, NEEDS_A_REGISTRY, REFUSED, SWARM, Case
from contract.schemas import answer_schema, operations, validate
from support.daemon import Api, UnixConnection
from support.docker_cli import Engine
from support.images import busybox_tar


class World:
    """Makes what a case names, for it alone, and takes it away."""

    def __init__(self, engine: Engine) -> None:
        newest = json.loads(engine.api.raw("GET", "/version")[2])["ApiVersion"]
        self.api = Api(Path(engine.host.removeprefix("unix://")), f"v{newest}")
        self.mark = "r" + uuid.uuid4().hex[:10]
        self._count = 0

    def _name(self) -> str:
        self._count += 1
        return f"{self.mark}-{self._count}"

    def container(self, **config: Any) -> str:
        name = self._name()
        self.api("POST", f"/containers/create?name={name}", {"Image": "busybox", "Cmd": ["sleep", "1000"]} | config)
        return name

    def running(self, **config: Any) -> str:
        name = self.container(**config)
        self.api("POST", f"/containers/{name}/start")
        return name

    def make(self, word: str) -> str:
        """Return the name of a new thing of the kind that ``word`` asks for."""
        match word:
            case "name":
                return self._name()
            case "new":
                return self.container()
            case "run":
                return self.running()
            case "tty":
                return self.running(Tty=True)
            case "paused":
                name = self.running()
                self.api("POST", f"/containers/{name}/pause")
                return name
            case "exec" | "running_exec":
                made = self.api("POST", f"/containers/{self.running()}/exec", {"Cmd": ["sleep", "1000"], "Tty": True})["Id"]
                if word == "running_exec":
                    self.api("POST", f"/exec/{made}/start", {"Detach": True, "Tty": True})
                return str(made)
            case "net":
                return str(self.api("POST", "/networks/create", {"Name": self._name()})["Id"])
            case "vol":
                return str(self.api("POST", "/volumes/create", {"Name": self._name()})["Name"])
            case "image":
                name = f"127.0.0.1:9/{self._name()}"
                self.api("POST", f"/images/busybox/tag?repo={name}&tag=made")
                return f"{name}:made"
        raise AssertionError(word)

    def filled(self, text: str) -> str:
        """Return ``text`` with each thing that it names made."""
        words = ("name", "new", "run", "tty", "paused", "exec", "running_exec", "net", "vol", "image")
        made = {word: self.make(word) for word in words if f"{{{word}}}" in text}
        return text.format(**made)

    def clean(self) -> None:
        for view in self.api("GET", "/containers/json?all=1"):
            if any(self.mark in name for name in view["Names"]):
                self.api.raw("DELETE", f"/containers/{view['Id']}?force=1&v=1")
        for network in self.api("GET", "/networks"):
            if network["Name"].startswith(self.mark):
                self.api.raw("DELETE", f"/networks/{network['Id']}")
        for volume in self.api("GET", "/volumes")["Volumes"] or ():
            if volume["Name"].startswith(self.mark):
                self.api.raw("DELETE", f"/volumes/{volume['Name']}")
        for image in self.api("GET", "/images/json"):
            for tag in image["RepoTags"] or ():
                if self.mark in tag:
                    self.api.raw("DELETE", f"/images/{urllib.parse.quote(tag)}?force=1")


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    made = World(engine)
    if made.api.raw("GET", "/images/busybox/json")[0] == 404:
        made.api.raw("POST", "/images/create?fromSrc=-&repo=busybox&tag=latest", busybox_tar(), {"Content-Type": "application/x-tar"})
    yield made
    made.clean()


def ask(world: World, case: Case) -> tuple[int, dict[str, str], bytes]:
    """Send a case's request; the body is read only where the answer ends by itself."""
    target = urllib.parse.quote(world.filled(case.target), safe="/?&=%:,")
    body, headers = case.body, dict(case.headers)
    if body is not None and not isinstance(body, bytes):
        body = _filled(world, body)
        body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    connection = UnixConnection(world.api.path)
    try:
        connection.request(case.method, f"/{world.api.version}{target}", body, headers)
        answer = connection.getresponse()
        endless = answer.status == 101 or (answer.status == 200 and case.path.endswith("/logs"))
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, b"" if endless else answer.read()
    finally:
        connection.close()


def _filled(world: World, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(world, item) for key, item in value.items()}
    return world.filled(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES + REFUSED, ids=str)
def test_it_answers_as_described(case: Case, world: World) -> None:
    if "/wait" in case.path and case.status == 200:
        return _waits(world)
    status, headers, body = ask(world, case)
    assert status == case.status, body[:600]
    if status == 101:
        return None
    if status in (204, 304) or case.method == "HEAD":
        assert body == b""
    elif status >= 400:
        validate(json.loads(body), {"$ref": "#/definitions/ErrorResponse"})
        assert len(json.loads(body)["message"]) > 5
    else:
        schema = answer_schema(case.method, case.path, status)
        if schema and headers["content-type"].startswith("application/json") and schema.get("format") != "binary":
            validate(json.loads(body), schema) if case.path != "/events" else None
        elif schema and case.path != "/_ping":
            assert schema.get("type") == "string" or case.path in ("/containers/{id}/logs",), headers
    return None


def _waits(world: World) -> None:
    """A wait answers its head at once and its body when the container has ended."""
    name = world.running()
    connection = UnixConnection(world.api.path)
    connection.request("POST", f"/{world.api.version}/containers/{name}/wait")
    answer = connection.getresponse()
    assert answer.status == 200
    world.api("POST", f"/containers/{name}/kill")
    validate(json.loads(answer.read()), answer_schema("POST", "/containers/{id}/wait", 200))
    connection.close()


def test_no_described_route_is_left_out() -> None:
    described = {(method, path) for method, path, operation in operations() if not set(operation.get("tags", ())) & set(SWARM)}
    served = {(case.method, case.path) for case in CASES + REFUSED if case.status < 400 or case in REFUSED}
    refused = {(case.method, case.path) for case in CASES + REFUSED if case.status >= 300}
    always = {("GET", "/info"), ("GET", "/version"), ("GET", "/_ping"), ("HEAD", "/_ping"), ("GET", "/plugins")}
    plugins = {entry for entry in described if entry[1].startswith("/plugins/")}
    cluster = {("PUT", "/volumes/{name}")}
    # Leaves HTTP: test_buildx.py and integration/daemon/test_buildkit.py open some.
    session = {("POST", "/session")}
    assert described - served == NEEDS_A_REGISTRY - {("POST", "/images/{name}/push")} | plugins - served | cluster | session
    assert described - refused == always | {("GET", "/distribution/{name}/json")}
