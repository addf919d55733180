"""One suite for two registries: each test of the specification runs on ours and, where it is installed, on Debian's docker-registry."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.registry import Client, DockerRegistry, Server, docker_registry

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "differs(why): docker-registry 2.8 does this otherwise")


@pytest.fixture(scope="session", params=["argosy", "docker"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | DockerRegistry]:
    """A registry that many tests share; each works in repositories of its own."""
    folder = tmp_path_factory.mktemp("registry")
    server: Server | DockerRegistry
    if request.param == "argosy":
        server = Server(folder / "root")
    elif docker_registry() is None:
        pytest.skip("docker-registry is not installed: nothing to prove the test on")
    else:
        server = DockerRegistry(folder)
    yield server
    server.stop()


@pytest.fixture
def client(request: pytest.FixtureRequest, registry: Server | DockerRegistry) -> Client:
    differs = request.node.get_closest_marker("differs")
    if differs and isinstance(registry, DockerRegistry):
        pytest.skip(f"docker-registry: {differs.args[0]}")
    return registry.client()


@pytest.fixture
def name() -> str:
    """A repository nobody has used."""
    return f"suite/r{next(_numbers)}"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start registries of the test's own on ``tmp_path/root``; all are stopped."""
    made: list[Server] = []

    def start(*flags: str, root: Path | None = None, **options: object) -> Server:
        made.append(Server(root or tmp_path / "root", *flags, **options))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for server in made:
        if server.process.poll() is None:
            server.stop()
