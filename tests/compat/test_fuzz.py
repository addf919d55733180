"""schemathesis against a live daemon while another client makes, starts and removes the things it asks about.

45 seconds as written; `./test compat --scale 14` fuzzes for ten minutes.
"""

import json
import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Api, Daemon
from support.fuzzed import CONTAINERS, IMAGES, KEEPER, narrowed
from support.leaks import LeakCheck
from support.venvs import venv

SECONDS = 45
CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 501]
[[operations]]
include-path = ["/events", "/containers/{id}/logs", "/containers/{id}/stats"]
generation = { mode = "positive" }
"""
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"


class Gardener(threading.Thread):
    """Puts things where the fuzzer looks for them, and takes them away again, at random; any answer but a failure will do."""

    def __init__(self, api: Api) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._random = random.Random(4)
        self._done = threading.Event()
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._done.wait(0.05):
            method, route, body = self._random.choice(self._errands())
            status, _, answer = self._api.raw(method, route, body)
            if status >= 500:
                self.failures.append(f"{method} {route}: {status} {answer[:300]!r}")

    def finish(self) -> None:
        self._done.set()
        self.join(60)

    def _errands(self) -> list[tuple[str, str, Any]]:
        name, image = self._random.choice(CONTAINERS), self._random.choice(IMAGES)
        made = {"Image": "busybox", "Cmd": ["sleep", "1000"], "Tty": self._random.random() < 0.5}
        return [
            *([("POST", f"/containers/create?name={name}", made), ("POST", f"/containers/{name}/start", None)] * 3),
            ("DELETE", f"/containers/{name}?force=1&v=1", None),
            ("POST", f"/images/busybox/tag?repo={image.partition(':')[0]}&tag={image.partition(':')[2] or 'latest'}", None),
            ("POST", "/networks/create", {"Name": "n1"}),
            ("POST", "/networks/n1/connect", {"Container": name}),
            ("DELETE", "/networks/n2", None),
            ("POST", "/volumes/create", {"Name": "v1"}),
            ("POST", f"/containers/{name}/unpause", None),
        ]


def _is_sound(daemon: Daemon) -> dict[str, str]:
    """Check that everything that is listed can be inspected; return id → status of the containers."""
    seen = {}
    for view in daemon.api("GET", "/containers/json?all=1&size=1"):
        status = daemon.api("GET", f"/containers/{view['Id']}/json")["State"]["Status"]
        seen[view["Id"]] = status
    for network in daemon.api("GET", "/networks"):
        daemon.api("GET", f"/networks/{network['Id']}")
    for volume in daemon.api("GET", "/volumes")["Volumes"]:
        daemon.api("GET", f"/volumes/{volume['Name']}")
    for image in daemon.api("GET", "/images/json?all=1"):
        daemon.api("GET", f"/images/{image['Id']}/json")
    daemon.api("GET", "/system/df")
    return seen


@pytest.mark.root
@pytest.mark.timeout(1800)
def test_no_request_breaks_the_daemon(leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path, scale: float) -> None:
    tools = venv("fuzz")
    if tools is None:
        pytest.skip("schemathesis could not be installed from the package index")
    daemon = daemons(arguments=["-H", "tcp://127.0.0.1:2375", "--tls=false"])
    daemon.api("POST", f"/containers/create?name={KEEPER}", {"Image": "busybox", "Cmd": ["sleep", "100000"]})
    daemon.api("POST", f"/containers/{KEEPER}/start")
    assert daemon.process
    pid = daemon.process.pid
    gardener = Gardener(daemon.api)
    gardener.start()
    try:
        done = _fuzz(daemon, tools, tmp_path, max(5, int(SECONDS * scale)))
    finally:
        gardener.finish()
    assert done.returncode == 0, done.stdout[:8000] + done.stderr[-2000:]
    assert not gardener.failures, gardener.failures[:5]
    assert daemon.process.poll() is None and daemon.process.pid == pid
    log = daemon.log.read_text()
    assert "failed unexpectedly" not in log and "Traceback" not in log, daemon.log_end()
    _survives_a_restart(daemon)


def _fuzz(daemon: Daemon, tools: Path, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    (folder / "openapi.json").write_text(json.dumps(narrowed()))
    (folder / "schemathesis.toml").write_text(CONFIG)
    words = ["run", "openapi.json", "-u", "http://127.0.0.1:2375/v1.55", "--max-time", str(seconds), "-c", CHECKS, "--phases", "fuzzing"]
    words += ["--request-timeout", "30", "--no-color", "--suppress-health-check", "all", "--continue-on-failure", "--warnings", "off"]
    return daemon.run_inside([str(tools / "bin/schemathesis"), *words], check=False, cwd=folder, timeout=seconds + 300)


def _survives_a_restart(daemon: Daemon) -> None:
    """The same things are there after a restart, and all of them can be removed."""
    before = _is_sound(daemon)
    assert before
    daemon.stop()
    daemon.start()
    after = _is_sound(daemon)
    assert after.keys() == before.keys()
    for container in after:
        daemon.api("DELETE", f"/containers/{container}?force=1&v=1")
    daemon.api("POST", "/networks/prune")
    daemon.api("POST", '/volumes/prune?filters={"all":["true"]}')
    daemon.api("POST", '/images/prune?filters={"dangling":["false"]}')
    assert (
        daemon.api("GET", "/containers/json?all=1")
        == daemon.api("GET", "/images/json?all=1")
        == daemon.api("GET", "/volumes")["Volumes"]
        == []
    )
