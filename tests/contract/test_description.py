"""Every route of the API description is served or says why not, and answers fit its schemas."""

import re
from typing import Any

import pytest

from argosy.api.versions import NEWEST_TEXT
from contract.schemas import answer_schema, description, operations, validate
from fakes.engine import ID, NET, container
from fakes.server import Api

EXEC = "f1" * 32


def test_the_newest_version_is_the_descriptions() -> None:
    assert description()["info"]["version"] == NEWEST_TEXT


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in operations()])
async def test_every_described_route_is_there(api: Api, method: str, path: str) -> None:
    found = api.server.table.find(method, re.sub(r"\{\w+\}", "x", path))
    assert found is not None, f"{method} {path} answers 'page not found'"


CASES: list[tuple[str, str, str, int, Any]] = [
    ("GET", "/containers/json", "/containers/json?all=1", 200, None),
    ("GET", "/containers/{id}/json", "/containers/web/json", 200, None),
    ("POST", "/containers/create", "/containers/create", 201, {"Image": "busybox"}),
    ("POST", "/containers/{id}/update", "/containers/web/update", 200, {"Memory": 1}),
    ("GET", "/containers/{id}/top", "/containers/web/top", 200, None),
    ("GET", "/containers/{id}/changes", "/containers/web/changes", 200, None),
    ("GET", "/containers/{id}/stats", "/containers/web/stats?stream=0", 200, None),
    ("POST", "/containers/prune", "/containers/prune", 200, None),
    ("POST", "/containers/{id}/exec", "/containers/web/exec", 201, {"Cmd": ["a"]}),
    ("GET", "/exec/{id}/json", f"/exec/{EXEC}/json", 200, None),
    ("GET", "/images/json", "/images/json", 200, None),
    ("GET", "/images/{name}/json", "/images/busybox/json", 200, None),
    ("GET", "/images/{name}/history", "/images/busybox/history", 200, None),
    ("GET", "/images/{name}/attestations", "/images/busybox/attestations", 200, None),
    ("DELETE", "/images/{name}", "/images/busybox", 200, None),
    ("POST", "/images/prune", "/images/prune", 200, None),
    ("GET", "/images/search", "/images/search?term=busybox", 200, None),
    ("GET", "/distribution/{name}/json", "/distribution/busybox/json", 200, None),
    ("POST", "/auth", "/auth", 200, {"username": "a", "password": "b"}),
    ("POST", "/commit", "/commit?container=web", 201, None),
    ("GET", "/networks", "/networks", 200, None),
    ("GET", "/networks/{id}", f"/networks/{NET}", 200, None),
    ("POST", "/networks/create", "/networks/create", 201, {"Name": "n"}),
    ("POST", "/networks/prune", "/networks/prune", 200, None),
    ("GET", "/volumes", "/volumes", 200, None),
    ("GET", "/volumes/{name}", "/volumes/vol", 200, None),
    ("POST", "/volumes/create", "/volumes/create", 201, {"Name": "vol"}),
    ("POST", "/volumes/prune", "/volumes/prune", 200, None),
    ("GET", "/info", "/info", 200, None),
    ("GET", "/version", "/version", 200, None),
    ("GET", "/events", "/events?until=5", 200, None),
    ("GET", "/system/df", "/system/df", 200, None),
    ("GET", "/system/df", "/system/df?verbose=1", 200, None),
    ("GET", "/plugins", "/plugins", 200, None),
    ("POST", "/build/prune", "/build/prune", 200, None),
    ("GET", "/nodes", "/nodes", 503, None),
    ("GET", "/containers/{id}/json", "/containers/nope/json", 404, None),
]


@pytest.mark.parametrize(("method", "path", "target", "status", "body"), CASES, ids=[f"{case[0]} {case[2]}" for case in CASES])
async def test_answers_fit_the_schemas(api: Api, method: str, path: str, target: str, status: int, body: Any) -> None:
    reply = await api.ask(method, target, b"" if body is None else body)
    assert reply.status == status
    schema = answer_schema(method, path, status)
    assert schema is not None
    validate(reply.json(), schema)


async def test_wait_fits_the_schema(api: Api) -> None:
    api.containers.released.set()
    reply = await api.ask("POST", "/containers/web/wait")
    validate(reply.json(), answer_schema("POST", "/containers/{id}/wait", 200))


async def test_containers_in_every_state_fit_the_schema(api: Api) -> None:
    from argosy.engine.model import Status

    for status in Status:
        api.containers.views = {ID: container(status=status, generation=hash(status))}
        for path, target in (("/containers/json", "/containers/json"), ("/containers/{id}/json", "/containers/web/json?size=1")):
            validate((await api.ask("GET", target)).json(), answer_schema("GET", path, 200))
