"""The example of a web server made from nothing, as a user runs it."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from support.leaks import LeakCheck

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/httpd/run"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


@pytest.mark.root
@pytest.mark.timeout(1500)
def test_apache_is_installed_committed_and_served(leak_check: LeakCheck) -> None:
    if not shutil.which("debootstrap"):
        pytest.skip("needs debootstrap")
    leak_check.also("argosy-httpd", "httpd-")
    done = subprocess.run(
        [str(EXAMPLE)], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | {"PORT": str(free_port())}
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "It works: apache2 in a container of argosy." in done.stdout
