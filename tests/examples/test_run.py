"""The examples, each as a user runs it: with an argosyd of its own, from nothing to a page that another machine gets."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.leaks import LeakCheck

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAYS = {
    "httpd/run": "It works: apache2 in a container of argosy.",
    "httpd/by-hand": "It works: apache2 in a container of argosy.",
    "python/run": "It works: flask on Python",
    "node/run": "It works: express on node",
    "static/run": "It works: one file in an image",
    "registry/run": "It works: this page went through a registry of our own.",
}


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


def test_every_example_is_run_here() -> None:
    scripts = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*") if os.access(path, os.X_OK) and path.is_file()}
    assert scripts == set(SAYS)
    assert {path.parent.name for path in EXAMPLES.glob("*/README.md")} == {name.partition("/")[0] for name in SAYS}


@pytest.mark.root
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("script", SAYS)
def test_it_builds_serves_and_leaves_nothing(script: str, leak_check: LeakCheck) -> None:
    if not shutil.which("debootstrap"):
        pytest.skip("needs debootstrap")
    name = script.partition("/")[0]
    environ = os.environ | {"PORT": str(free_port())}
    # A group of its own: what ends the test ends the whole of it, in order.
    process = subprocess.Popen(
        [str(EXAMPLES / script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, start_new_session=True
    )
    leak_check.also(f"{name}-{process.pid}", f"arg{process.pid}", f"h{process.pid}")
    try:
        output, _ = process.communicate()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    assert process.returncode == 0, output[-4000:]
    assert SAYS[script] in output
    assert not list(Path("/var/tmp").glob(f"argosy-{name}-{process.pid}.*")), "a data root stays"
