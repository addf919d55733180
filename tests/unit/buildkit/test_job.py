"""What of the client's a Dockerfile names, so that it can be asked for before the first step."""

from argosy.build.dockerfile import parse
from argosy.build.request import BuildRequest
from argosy.buildkit.job import domains, mounted

FILE = parse(
    b"FROM busybox AS a\nRUN --mount=type=secret,id=one --mount=type=secret,target=/x/two --mount=type=ssh true\n"
    b"FROM r.example:5000/x\nRUN --mount=type=ssh,id=git --mount=type=cache,id=c,target=/c true\nFROM a\nFROM $X\n",
    "Dockerfile",
)


def test_secrets_and_agents():
    assert mounted(FILE, "secret") == ["one", "two"]
    assert mounted(FILE, "ssh") == ["default", "git"]


def test_registries():
    request = BuildRequest(
        cache_from=("type=registry,ref=cache.example/c",), contexts={"n": "docker-image://n.example/y", "u": "https://u/x"}
    )
    assert domains(FILE, request) == ["docker.io", "r.example:5000", "cache.example", "n.example"]
