"""The example of a web server made from nothing, as a user runs it."""

import os
import shutil
import signal
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
    environ = os.environ | {"PORT": str(free_port())}
    # A group of its own: what ends the test ends the whole of it, in order.
    process = subprocess.Popen(
        [str(EXAMPLE)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, start_new_session=True
    )
    try:
        output, _ = process.communicate()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    assert process.returncode == 0, output[-4000:]
    assert "It works: apache2 in a container of argosy." in output
