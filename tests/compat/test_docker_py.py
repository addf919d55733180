"""docker-py's own integration tests, by scripts/compat/docker_py: each file at least as many as a Docker 28 passes here."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from support.docker_cli import Engine

HERE = Path(__file__).resolve().parents[2]
# What the files that the engine serves so far lose, with the reason; a name here must go on failing, or it is taken out.
KNOWN: dict[str, str] = json.loads((Path(__file__).parent / "docker_py_known.json").read_text())
FILES = (
    *("api_container", "api_exec", "api_client", "client", "errors", "regression", "models_containers"),
    *("api_build", "api_healthcheck", "api_network", "api_volume", "models_networks", "models_resources", "models_volumes"),
)


@pytest.fixture(scope="module")
def images(engine: Engine) -> None:
    """The images that the suite expects of a hub."""
    subprocess.run([sys.executable, str(HERE / "scripts/compat/images"), engine.host], check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FILES)
def test_docker_py_passes(name: str, engine: Engine, images: None, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    command = [
        sys.executable,
        str(HERE / "scripts/compat/docker_py"),
        "--junit",
        str(junit),
        engine.host,
        f"tests/integration/{name}_test.py",
    ]
    done = subprocess.run(
        command if not engine.netns else [*command[:2], "--netns", engine.netns, *command[2:]], capture_output=True, text=True
    )
    assert junit.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    counts: Counter[str] = Counter()
    failed = set()
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(f"{name}::{case.get('name')}")
        else:
            counts["skipped" if case.find("skipped") is not None else "passed"] += 1
    unexpected = failed - set(KNOWN)
    assert not unexpected, f"{sorted(unexpected)}\n{done.stdout[-4000:]}"
    assert counts["passed"], done.stdout[-2000:]
