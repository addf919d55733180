"""aiodocker's own test suite, out of its source package: all of it that asks for neither a swarm nor a hub."""

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from support.docker_cli import Docker
from support.rootfs import CACHE, debootstrap
from support.venvs import LOCKS, venv

# The tests that fail, with the reason; a name here must go on failing, or it is taken out.
KNOWN: dict[str, str] = json.loads((Path(__file__).parent / "aiodocker_known.json").read_text())
SWARM = ("configs", "nodes", "secrets", "services", "swarm", "ssh")
# Those that remove an image to pull it from a hub, build from a page of the internet, run a registry's image, or must not be root.
DESELECTED = (
    *(f"test_containers.py::test_run_{name}" for name in ("existing_container", "container_with_missing_image", "failing_start_container")),
    *(f"test_images.py::test_{name}" for name in ("build_from_remote_file", "build_from_remote_tar")),
    *(f"test_images.py::test_{name}" for name in ("push_image", "push_image_stream", "delete_image", "pups_image_auth")),
    *(f"test_context.py::TestLoadContextTLS::test_raises_error_on_unreadable_{name}_file" for name in ("ca", "cert", "key")),
)
# Not by --deselect, which goes by the beginning of a name.
CHOSEN = "not test_pull_image or test_pull_image_invalid_platform"
# Images that the suite pulls: a Python that answers to `python`, and two that print or sleep.
PYTHONS = ("python:3.13-alpine", "python:3.14-alpine")


def _suite(client: Path) -> Path:
    """Return the folder of the source package with the locked version, fetched on first use; skips when the index has it not."""
    version = next(line.split()[0] for line in (LOCKS / "aiodocker.txt").read_text().splitlines() if line.startswith("aiodocker=="))
    folder = CACHE / version.replace("==", "-")
    if not folder.exists():
        half = CACHE / f"{folder.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        pip = [str(client / "bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "--no-input", "download", "--no-deps"]
        fetch = [*pip, "--no-binary", "aiodocker", version, "-d", str(half)]
        if subprocess.run(fetch, capture_output=True, stdin=subprocess.DEVNULL, timeout=300).returncode:
            pytest.skip("the source package of aiodocker could not be fetched from the package index")
        subprocess.run(["tar", "-C", str(half), "--no-same-owner", "-xf", str(next(half.glob("*.tar.gz")))], check=True)
        (half / folder.name).rename(folder)
        shutil.rmtree(half)
        # The library that is tested is the installed one.
        shutil.rmtree(folder / "aiodocker")
    return folder


@pytest.fixture
def pythons(docker: Docker) -> None:
    """The images that the suite expects of a hub."""
    if docker.do("image", "inspect", *PYTHONS).returncode:
        if os.geteuid() != 0 or not shutil.which("debootstrap"):
            pytest.skip("needs root and the package debootstrap")
        archive = debootstrap("bookworm", ["python-is-python3"], "python-bookworm")
        for name in PYTHONS:
            docker.run("import", "-c", 'CMD ["python"]', "-c", f"LABEL name={name}", str(archive), name, timeout=300)
    docker.run("tag", PYTHONS[0], "python:latest")
    for name in ("alpine:latest", "hello-world:latest"):
        docker.run("tag", "busybox:latest", name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_own_suite_passes(docker: Docker, pythons: None, tmp_path: Path) -> None:
    client = venv("aiodocker")
    if client is None:
        pytest.skip("aiodocker could not be installed from the package index")
    junit = tmp_path / "junit.xml"
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "docker").symlink_to(docker.program)
    command = [str(client / "bin/python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "60", f"--junitxml={junit}"]
    command += [
        "--override-ini=addopts=",
        "-W",
        "ignore::pytest.PytestUnraisableExceptionWarning",
        *(f"--ignore=tests/test_{name}.py" for name in SWARM),
        *(f"--deselect=tests/{name}" for name in DESELECTED),
    ]
    command += ["-k", CHOSEN]
    environ = docker.environ | {"PATH": f"{tools}:{docker.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {"TESTCONTAINERS_RYUK_DISABLED": "true"}
    done = docker.engine.inside(command, env=environ, cwd=_suite(client), timeout=800)
    assert junit.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    counts: Counter[str] = Counter()
    failed = set()
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        name = f"{str(case.get('classname')).rpartition('.')[2]}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        else:
            counts["skipped" if case.find("skipped") is not None else "passed"] += 1
    print(dict(counts))
    assert not failed - set(KNOWN), f"{sorted(failed - set(KNOWN))}\n{done.stdout[-8000:]}"
    assert not set(KNOWN) - failed, f"these pass now: {sorted(set(KNOWN) - failed)}"
    assert counts["passed"], done.stdout[-2000:]
