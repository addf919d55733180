"""dockerode in node: what clients/dockerode_tour.js asserts of containers, streams, builds and the statuses of errors."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.docker_cli import Docker
from support.rootfs import CACHE

HERE = Path(__file__).parent
TOUR = HERE / "clients/dockerode_tour.js"
TRIALS = re.findall(r"^  async (\w+)\(\)", TOUR.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder node_modules that our package-lock.json describes, made by npm on first use and kept between runs."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm (Debian packages nodejs and npm)")
    lock = (HERE / "dockerode/package-lock.json").read_bytes()
    folder = CACHE / f"dockerode-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / "dockerode", folder)
        fetch = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(fetch, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        if done.returncode:
            shutil.rmtree(folder)
            pytest.skip("dockerode could not be fetched from the npm registry: " + done.stderr[-300:])
        (folder / "ready").touch()
    return folder / "node_modules"


@pytest.mark.parametrize("trial", TRIALS)
def test_dockerode(trial: str, docker: Docker, modules: Path) -> None:
    environ = docker.environ | {"NODE_PATH": str(modules)}
    done = docker.engine.inside(["node", str(TOUR), trial, docker.mark], env=environ, timeout=90)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
