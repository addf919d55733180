"""The engine that real clients are tried on: ENGINE_HOST (and ENGINE_NETNS, where its host is a namespace), else an argosyd of ours."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.debian import docker_cli
from support.docker_cli import Docker, Engine
from support.images import busybox, busybox_tar


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine on trial; one for the whole session."""
    if host := os.environ.get("ENGINE_HOST"):
        yield Engine(host, os.environ.get("ENGINE_NETNS", ""))
        return
    if os.geteuid() != 0:
        pytest.skip("needs root, or ENGINE_HOST")
    if busybox() is None:
        pytest.skip("needs busybox-static")
    with tempfile.TemporaryDirectory(prefix="argosy-compat-", dir="/var/tmp") as folder:
        daemon = Daemon(Path(folder))
        try:
            daemon.start()
            yield Engine(daemon.host, f"/run/netns/{daemon.name}")
        finally:
            daemon.destroy()


@pytest.fixture
def docker(engine: Engine, tmp_path: Path) -> Iterator[Docker]:
    """The official docker CLI with a home of its own, and the image busybox on the engine."""
    program = docker_cli()
    if program is None:
        pytest.skip("no docker CLI on this machine, and none could be fetched")
    client = Docker(program, engine, tmp_path, "t" + uuid.uuid4().hex[:8])
    if client.do("image", "inspect", "busybox:latest").returncode:
        client.run("import", "-c", 'CMD ["sh"]', "-c", "ENV PATH=/bin:/usr/bin", "-", "busybox:latest", input=busybox_tar(), text=False)
    try:
        yield client
    finally:
        client.clean()
