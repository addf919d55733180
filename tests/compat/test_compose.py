"""Docker Compose v2 on one project with everything that people write into one: health, networks, aliases, secrets, configs, a build."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Daemon
from support.debian import cli_plugin
from support.docker_cli import Docker, Engine

PROJECT = """
services:
  web:
    image: busybox
    stop_signal: KILL
    command: ["httpd", "-f", "-p", "80", "-h", "/www"]
    volumes: ["data:/www"]
    networks: {front: {aliases: [shop]}, back: {}}
    ports: ["127.0.0.1::80"]
    healthcheck: {test: ["CMD", "test", "-e", "/www/index.html"], interval: 200ms, start_period: 30s, start_interval: 100ms, retries: 100}
    secrets: [pass]
    configs: [{source: conf, target: /etc/conf}, {source: inline, target: /etc/inline}]
    environment: {COLOUR: "${COLOUR:-green}"}
  seed:
    image: busybox
    command: ["sh", "-c", "echo $$COLOUR > /www/index.html"]
    environment: {COLOUR: "${COLOUR:-green}"}
    volumes: ["data:/www"]
    networks: [back]
  app:
    build: {context: ., args: {WORD: built}}
    command: ["sleep", "1000"]
    stop_signal: KILL
    depends_on: {web: {condition: service_healthy}, seed: {condition: service_completed_successfully}}
    networks: [back]
  tool:
    image: busybox
    profiles: [tools]
    environment: {PAUSE: "${PAUSE:-0}"}
    command: ["sh", "-c", "echo tool ran; sleep $${PAUSE:-0}; exit 3"]
    networks: [back]
volumes: {data: {}}
networks: {front: {}, back: {ipam: {config: [{subnet: 10.93.4.0/24}]}}}
secrets: {pass: {file: ./pass.txt}}
configs: {conf: {file: ./conf.txt}, inline: {content: "inline=1\\n"}}
"""


class Compose:
    """Compose in a folder with the project; ``run`` returns what it printed."""

    def __init__(self, program: str, engine: Engine, place: Path) -> None:
        self._program, self._engine, self._place = program, engine, place
        self.name = "p" + uuid.uuid4().hex[:8]
        home = place / "home"
        home.mkdir()
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_HOST": engine.host, "DOCKER_BUILDKIT": "0", "LC_ALL": "C"}
        (place / "compose.yaml").write_text(PROJECT)
        (place / "Dockerfile").write_text(f"FROM busybox\nLABEL of={self.name}\nARG WORD\nRUN echo $WORD > /built\n")
        (place / "pass.txt").write_text("s3cret\n")
        (place / "conf.txt").write_text("conf=1\n")

    def do(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [self._program, "--ansi", "never", "-p", self.name, *words]
        given = {"cwd": self._place, "env": self.environ, "timeout": 120, "stdin": subprocess.DEVNULL}
        return self._engine.inside(command, **given | options)

    def run(self, *words: str, **options: Any) -> str:
        done = self.do(*words, **options)
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.rstrip("\n")

    def states(self) -> dict[str, str]:
        """Return container name without the project → state, of all."""
        rows = [json.loads(line) for line in self.run("ps", "-a", "--format", "json").splitlines()]
        return {row["Name"].removeprefix(self.name + "-"): row["State"] for row in rows}


@pytest.fixture(scope="session")
def program() -> str:
    found = cli_plugin("compose")
    if found is None:
        pytest.skip("Docker Compose v2 could not be fetched from Debian")
    return found


@pytest.fixture
def project(docker: Docker, engine: Engine, program: str, tmp_path: Path) -> Iterator[Compose]:
    place = tmp_path / "project"
    place.mkdir()
    made = Compose(program, engine, place)
    try:
        yield made
    finally:
        made.do("--profile", "*", "down", "-v", "-t", "1")
        docker.do("rmi", "-f", f"{made.name}-app", f"{made.name}-app:kept")


def test_up_waits_for_health_and_ends(project: Compose, engine: Engine) -> None:
    project.run("up", "-d", "--build", "--wait", "app", "web")
    assert project.states() == {"web-1": "running", "app-1": "running", "seed-1": "exited"}
    assert project.run("exec", "-T", "app", "cat", "/built") == "built"
    assert project.run("exec", "-T", "web", "cat", "/run/secrets/pass", "/etc/conf", "/etc/inline") == "s3cret\nconf=1\ninline=1"
    assert project.run("exec", "-T", "app", "wget", "-qO-", "http://web/") == "green"
    address = project.run("port", "web", "80")
    assert engine.inside(["curl", "-s", f"http://{address}/"]).stdout == "green\n"
    assert "10.93.4." in project.run("exec", "-T", "app", "nslookup", "web")
    assert project.run("exec", "-T", "web", "nslookup", "shop").count("Address") >= 2


def test_what_is_there_is_shown(project: Compose) -> None:
    project.run("up", "-d", "--wait", "app", "web")
    assert set(project.run("config", "--services").split()) == {"web", "app", "seed"}
    assert "sleep 1000" in project.run("top", "app")
    assert "busybox" in project.run("images", "web")
    assert project.name in project.run("ls")
    assert project.run("ps", "-q", "web") == project.run("ps", "--status", "running", "--no-trunc", "-q", "web")
    assert project.run("volumes", "-q") == f"{project.name}_data"
    events = project.do("events", "--json", "--since", "10m", "--until", "0s").stdout.splitlines()
    assert {"create", "start"} <= {json.loads(line)["action"] for line in events}
    statistics = json.loads(project.run("stats", "--no-stream", "--format", "json", "web"))
    assert statistics["Name"] == f"{project.name}-web-1"


def test_one_off_containers_give_their_exit_code(project: Compose) -> None:
    done = project.do("run", "--rm", "tool")
    assert (done.returncode, done.stdout) == (3, "tool ran\n")
    project.environ["PAUSE"] = "2"
    project.run("--profile", "tools", "up", "-d", "tool")
    assert project.do("wait", "tool").returncode == 3
    assert "tool ran" in project.run("logs", "--no-log-prefix", "tool")


def test_scale_pause_kill_and_restart(project: Compose) -> None:
    project.run("up", "-d", "--scale", "app=3", "app")
    assert project.states() == {"app-1": "running", "app-2": "running", "app-3": "running", "web-1": "running", "seed-1": "exited"}
    project.run("scale", "app=1")
    project.run("pause", "app")
    assert project.states()["app-1"] == "paused"
    project.run("unpause", "app")
    project.run("kill", "app")
    assert project.states()["app-1"] == "exited"
    project.run("start", "app")
    project.run("restart", "-t", "1", "app")
    assert project.states()["app-1"] == "running"
    project.run("stop", "-t", "1", "app")
    project.run("rm", "-f", "app")
    assert "app-1" not in project.states()


def test_files_go_in_and_out(project: Compose, tmp_path: Path) -> None:
    project.run("up", "-d", "app")
    project.run("cp", "conf.txt", "app:/tmp/there")
    assert project.run("exec", "-T", "app", "cat", "/tmp/there") == "conf=1"
    project.run("cp", "app:/built", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "built\n"
    project.run("commit", "app", f"{project.name}-app:kept")
    project.run("export", "-o", str(tmp_path / "all.tar"), "app")
    assert (tmp_path / "all.tar").stat().st_size > 100_000


def test_a_dry_run_makes_nothing(project: Compose) -> None:
    assert "DRY-RUN" in project.do("--dry-run", "up", "-d", "web").stderr
    assert project.states() == {}


def test_a_changed_service_is_made_anew_and_others_stay(project: Compose) -> None:
    project.run("up", "-d", "--wait", "web", "app")
    before = project.run("ps", "-q", "app"), project.run("ps", "-q", "web")
    project.environ["COLOUR"] = "red"
    project.run("up", "-d", "--wait", "--no-deps", "web")
    project.run("up", "-d", "--no-deps", "app")
    assert project.run("ps", "-q", "app") == before[0]
    assert project.run("ps", "-q", "web") != before[1]
    assert project.run("exec", "-T", "web", "sh", "-c", "echo $COLOUR") == "red"


def test_down_takes_everything_away(project: Compose, docker: Docker) -> None:
    project.run("up", "-d", "web", "app")
    project.run("down", "-v", "-t", "1")
    assert docker.run("ps", "-aq", "--filter", f"label=com.docker.compose.project={project.name}") == ""
    assert docker.run("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={project.name}") == ""
    assert docker.run("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={project.name}") == ""


@pytest.mark.root
def test_the_daemon_may_restart_in_the_middle(daemons: Callable[..., Daemon], program: str, tmp_path: Path) -> None:
    daemon = daemons()
    place = tmp_path / "project"
    place.mkdir()
    project = Compose(program, Engine(daemon.host, f"/run/netns/{daemon.name}"), place)
    project.run("up", "-d", "--build", "--wait", "web", "app")
    before = project.run("ps", "-q", "--no-trunc")
    daemon.kill()
    daemon.start()
    assert project.run("ps", "-q", "--no-trunc") == before
    assert project.run("exec", "-T", "app", "wget", "-qO-", "http://web/") == "green"
    # Nothing has changed in compose's eyes, so nothing is made anew.
    project.run("up", "-d", "--wait", "web", "app")
    assert project.run("ps", "-q", "--no-trunc") == before
    project.run("down", "-v", "-t", "1")
    assert daemon.api("GET", "/containers/json?all=1") == []
