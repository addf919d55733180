"""A running engine's answers have the shape that the description of the API gives them."""

from collections.abc import Iterator

import jsonschema
import pytest

from contract.schemas import answer_schema, validate
from support.daemon import Api
from support.docker_cli import Engine
from support.images import busybox_tar

ASKED = [
    ("/containers/json", "/containers/json?all=1&size=1"),
    ("/containers/{id}/json", "/containers/{container}/json?size=1"),
    ("/containers/{id}/top", "/containers/{container}/top"),
    ("/containers/{id}/changes", "/containers/{container}/changes"),
    ("/containers/{id}/stats", "/containers/{container}/stats?stream=0"),
    ("/exec/{id}/json", "/exec/{exec}/json"),
    ("/images/json", "/images/json"),
    ("/images/{name}/json", "/images/{image}/json"),
    ("/images/{name}/history", "/images/{image}/history"),
    ("/volumes", "/volumes"),
    ("/volumes/{name}", "/volumes/{volume}"),
    ("/networks", "/networks"),
    ("/networks/{id}", "/networks/{network}"),
    ("/networks/{id}", "/networks/bridge"),
    ("/info", "/info"),
    ("/version", "/version"),
    ("/system/df", "/system/df"),
]


@pytest.fixture(scope="module")
def api(engine: Engine) -> Api:
    """The engine, asked in the newest version that it and the description share."""
    api = engine.api
    api.version = "v" + min("1.55", api("GET", "/version")["ApiVersion"], key=lambda version: int(version.split(".")[1]))
    return api


@pytest.fixture(scope="module")
def things(api: Api) -> Iterator[dict[str, str]]:
    """One of each: an image, a running container with an exec, a volume, a network."""
    route = "/images/create?fromSrc=-&repo=contract&tag=latest&changes=CMD%20%5B%22sh%22%5D&changes=ENV%20PATH=/bin"
    assert api.raw("POST", route, busybox_tar(), {"Content-Type": "application/x-tar"})[0] == 200
    network = api("POST", "/networks/create", {"Name": "contract"})["Id"]
    api("POST", "/volumes/create", {"Name": "contract", "Labels": {"a": "b"}})
    host = {"Binds": ["contract:/data"], "PortBindings": {"80/tcp": [{}]}, "Memory": 64 << 20, "Init": True, "Tmpfs": {"/scratch": ""}}
    body = {"Image": "contract", "Cmd": ["sleep", "600"], "HostConfig": host, "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}}
    container = api("POST", "/containers/create?name=contract", body)["Id"]
    try:
        api("POST", f"/containers/{container}/start")
        api("POST", f"/networks/{network}/connect", {"Container": container})
        execution = api("POST", f"/containers/{container}/exec", {"Cmd": ["true"], "AttachStdout": True})["Id"]
        yield {"container": container, "image": "contract:latest", "volume": "contract", "network": network, "exec": execution}
    finally:
        api.raw("DELETE", f"/containers/{container}?force=1&v=1")
        api.raw("DELETE", f"/networks/{network}")
        api.raw("DELETE", "/volumes/contract?force=1")
        api.raw("DELETE", "/images/contract?force=1")


@pytest.mark.parametrize(("path", "route"), ASKED, ids=[route for _, route in ASKED])
def test_an_answer_has_the_described_shape(path: str, route: str, api: Api, things: dict[str, str]) -> None:
    try:
        validate(api("GET", route.format(**things)), answer_schema("GET", path, 200))
    except jsonschema.ValidationError as error:
        # An engine that speaks an older version has fields that were dropped since.
        assert api.version != "v1.55" and error.message.startswith("fields that the description does not have"), error
