"""The daemon dies at each place that the sources name: the next one finishes or undoes, and nobody inside noticed."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.builds import build, run
from support.daemon import Daemon
from support.debian import cli_plugin, docker_cli
from support.images import busybox_tar
from support.registry import Server
from support.remains import assert_nothing_left, settled
from support.web import web

from .conftest import Witness, remove_all

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
SOURCES = Path(__file__).resolve().parents[2] / "src/argosy"
POINT = re.compile(r"""(?:failpoints\.|\b)hit\(\s*"([a-z0-9_.-]+)"\s*\)""")
REGISTRY = "registry"
"""A program of its own; tests/integration/registry/test_crashes.py kills it at each of its points."""
DOCKERFILE = (
    "FROM busybox\nWORKDIR /w\nRUN echo ran > ran\nCOPY f copied\nADD {} added\nCOPY --link f linked\n"
    "RUN --mount=type=cache,target=/c cp copied again\n"
)


def failpoints(folder: Path = SOURCES, without: str = REGISTRY) -> list[str]:
    """Return the names of all failpoints in the sources below the folder, but for those of one part of it."""
    paths = [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] != without]
    return sorted({name for path in paths for name in POINT.findall(path.read_text())})


class Scenario:
    """Some of what changes state, all undone again. Raises OSError when the daemon dies meanwhile."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def act(self) -> None:
        raise NotImplementedError

    def put_in_order(self) -> None:
        """Remove what was left where it was broken off, through the API: each removal must work whatever was half done."""
        raise NotImplementedError

    def remove(self, *kinds: str) -> None:
        for kind in kinds:
            status = self.daemon.api.raw("DELETE", f"/{kind}")[0]
            assert status in {200, 204, 404}, (kind, status)


class Containers(Scenario):
    """Containers and what they use."""

    def act(self) -> None:
        api = self.daemon.api
        header = {"Content-Type": "application/x-tar"}
        assert api.raw("POST", "/images/create?fromSrc=-&repo=extra&tag=1", busybox_tar(), header)[0] == 200
        api("POST", "/networks/create", {"Name": "inner"})
        api("POST", "/volumes/create", {"Name": "kept"})
        body = {
            "Image": "busybox",
            "Cmd": ["sh", "-c", "echo begun; sleep 600"],
            "Volumes": {"/anonymous": {}},
            "HostConfig": {"Init": True, "Binds": ["kept:/data"], "NetworkMode": "inner"},
        }
        api("POST", "/containers/create?name=once", body)
        api("POST", "/containers/once/start")
        execution = api("POST", "/containers/once/exec", {"Cmd": ["touch", "/made"], "AttachStdout": True})["Id"]
        api("POST", f"/exec/{execution}/start", {"Detach": False})
        api("POST", "/commit?container=once&repo=committed&tag=1", {})
        api("POST", "/containers/once/update", {"Memory": 64 << 20, "MemorySwap": 64 << 20})
        api("POST", "/networks/inner/bandwidth", {"Container": "once", "Down": "8mbit", "Up": "8mbit"})
        api("POST", "/containers/once/pause")
        api("POST", "/containers/once/unpause")
        api("POST", "/containers/once/rename?name=twice")
        api("POST", "/containers/twice/restart?t=2")
        api("POST", "/containers/twice/stop?t=2")
        api("DELETE", "/containers/twice?v=1")
        api("DELETE", "/volumes/kept")
        api("DELETE", "/networks/inner")
        api("DELETE", "/images/committed:1")
        api("DELETE", "/images/extra:1")

    def put_in_order(self) -> None:
        self.remove("volumes/kept", "networks/inner", "images/committed:1?force=1", "images/extra:1?force=1")


class Builds(Scenario):
    """A build with each kind of step, and its cache."""

    def __init__(self, daemon: Daemon, url: str) -> None:
        super().__init__(daemon)
        self.text = DOCKERFILE.format(url)

    def act(self) -> None:
        found = build(self.daemon, self.text, {"f": "data\n"}, t="built")
        assert found.error == "", found.error
        if not found.id:
            # The stream is an answer that has begun: a daemon that dies just ends it.
            raise ConnectionResetError(f"the build's messages broke off: {found.text[-200:]}")
        assert run(self.daemon, "built", "cat", "/w/ran", "/w/copied", "/w/added", "/w/linked", "/w/again") == "ran\n" + 4 * "data\n"
        self.daemon.api("DELETE", "/images/built")
        self.daemon.api("POST", "/build/prune?all=1")
        assert self.daemon.api("GET", "/system/df")["BuildCache"] in (None, [])

    def put_in_order(self) -> None:
        self.remove("images/built?force=1")
        self.daemon.api("POST", "/build/prune?all=1")


class SessionBuilds(Scenario):
    """Two builds by docker buildx, of which the second is sent what has changed."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        super().__init__(daemon)
        program, plugin = docker_cli(), cli_plugin("buildx")
        if program is None or plugin is None:
            pytest.skip("needs the docker client and the docker-buildx package of Debian sid")
        (folder / ".docker/cli-plugins").mkdir(parents=True)
        (folder / ".docker/cli-plugins/docker-buildx").symlink_to(plugin)
        self.context = folder / "context"
        self.context.mkdir()
        (self.context / "Dockerfile").write_text("FROM busybox\nCOPY f g /\n")
        self.command = [program, "buildx", "build", "-t", "built", str(self.context)]
        self.environ = os.environ | {"HOME": str(folder), "DOCKER_HOST": daemon.host}

    def act(self) -> None:
        for number in (1, 2):
            (self.context / "f").write_text(f"{number}\n")
            (self.context / "g").write_text("same\n")
            done = subprocess.run(self.command, env=self.environ, capture_output=True, text=True, timeout=60)
            if done.returncode:
                raise ConnectionResetError(done.stderr[-400:])
            assert run(self.daemon, "built", "cat", "/f", "/g") == f"{number}\nsame\n"
        self.daemon.api("DELETE", "/images/built")
        self.daemon.api("POST", "/build/prune?all=1")
        assert self.daemon.api("GET", "/system/df")["BuildCache"] in (None, [])

    def put_in_order(self) -> None:
        self.remove("images/built?force=1")
        self.daemon.api("POST", "/build/prune?all=1")
        self.daemon.api("POST", "/images/prune")


class Pushes(Scenario):
    """An image goes to a registry and comes back."""

    def __init__(self, daemon: Daemon, registry: str) -> None:
        super().__init__(daemon)
        self.name = f"{registry}/pushed"

    def act(self) -> None:
        api = self.daemon.api
        api.raw("POST", f"/images/create?fromSrc=-&repo={self.name}&tag=1", busybox_tar(), {"Content-Type": "application/x-tar"})
        pushed = api("GET", f"/images/{self.name}:1/json")["Id"]
        self._send(f"/images/{self.name}/push?tag=1", {"X-Registry-Auth": "e30="})
        api("DELETE", f"/images/{self.name}:1")
        self._pull()
        assert api("GET", f"/images/{self.name}:1/json")["Id"] == pushed
        api("DELETE", f"/images/{self.name}:1")

    def _pull(self) -> None:
        self._send(f"/images/create?fromImage={self.name}&tag=1", {})

    def _send(self, route: str, headers: dict[str, str]) -> None:
        status, _, data = self.daemon.api.raw("POST", route, None, headers)
        messages = [json.loads(line) for line in data.splitlines() if line.strip()]
        assert status == 200 and not any("error" in message for message in messages), data[-400:]

    def put_in_order(self) -> None:
        # What came of a blob is kept for the next pull, which goes on with it and leaves nothing.
        self._pull()
        self.remove(f"images/{self.name}:1?force=1")


@contextlib.contextmanager
def scenario_of(point: str, daemon: Daemon, folder: Path) -> Iterator[Scenario]:
    """Yield the scenario that comes by the point."""
    if point.startswith("build.synced."):
        yield SessionBuilds(daemon, folder)
    elif point.startswith(("build.", "transient.", "storage.draft.")):
        with web(daemon, folder / "served") as served:
            yield Builds(daemon, served.put("f", "data\n"))
    elif point.startswith("distribution."):
        with Server(folder / "registry", netns=daemon.name) as server:
            yield Pushes(daemon, server.address)
    else:
        yield Containers(daemon)


def test_the_points_of_the_registry_are_hit_where_the_registry_is_killed() -> None:
    """By name in its own crash tests, since the daemon never comes by them."""
    tests = (Path(__file__).parents[1] / "integration/registry/test_crashes.py").read_text()
    points = failpoints(SOURCES / REGISTRY, without="")
    assert points and [point for point in points if f'"{point}"' not in tests] == []


@pytest.mark.parametrize("point", failpoints())
def test_dying_at_a_failpoint_is_mended_at_the_next_start(point: str, daemons: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = daemons()
    witness = Witness(daemon)
    witness.start()
    pid = witness.pid()
    daemon.stop()
    with scenario_of(point, daemon, tmp_path) as scenario:
        daemon.environ = {"ARGOSY_FAILPOINTS": f"{point}=kill"}
        daemon.start(wait=False)
        with pytest.raises((OSError, http.client.HTTPException, AssertionError, json.JSONDecodeError)) as broken_off:
            daemon.await_ready()
            scenario.act()
            raise AssertionError(f"the scenario does not come by {point}")
        assert daemon.process
        assert settled(lambda: daemon.process and daemon.process.poll(), -signal.SIGKILL, 5) == -signal.SIGKILL, broken_off.value
        daemon.environ = {}
        daemon.start()
        assert witness.pid() == pid
        witness.assert_unbroken()
        remove_all(daemon, but="witness")
        scenario.put_in_order()
        assert_nothing_left(daemon)
        # Docker's `rm -v`, and a create that did not come to its end, take anonymous volumes along.
        assert settled(lambda: daemon.api("GET", "/volumes")["Volumes"] or [], []) == []
        scenario.act()
        assert_nothing_left(daemon)
        witness.assert_unbroken()
