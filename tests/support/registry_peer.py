"""Debian's docker-registry, and a stand-in of ours, in a daemon's network namespace."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.registry import Registry
from support.daemon import Daemon

_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def docker_registry(daemon: Daemon, folder: Path, port: int = 5000) -> Iterator[str]:
    """Yield ``localhost:PORT`` of a registry that the daemon reaches; its data lie in the folder."""
    program = shutil.which("docker-registry")
    assert program, "docker-registry is not installed"
    folder.mkdir(parents=True)
    configuration = folder / "registry.yml"
    configuration.write_text(_CONFIGURATION.format(root=folder / "data", port=port))
    command = ["nsenter", f"--net=/run/netns/{daemon.name}", program, "serve", str(configuration)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        for _ in range(500):
            if daemon.run_inside(["curl", "-sf", f"http://localhost:{port}/v2/"], check=False).returncode == 0:
                break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait()


class Remote:
    """A `fakes.registry.Registry` in another namespace."""

    def __init__(self, process: "subprocess.Popen[str]", host: str) -> None:
        self._process = process
        self.host = host

    def tell(self, words: str = "") -> dict[str, Any]:
        """Give an order (``slow SECONDS``); return ``served`` (bytes by digest) and ``asked``."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def served(daemon: Daemon, registry: Registry, folder: Path, *, slow: float = 0) -> Iterator[Remote]:
    """Serve what a registry holds where the daemon reaches it, each piece of 64 KiB with a pause of ``slow`` seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    content = folder / f"registry-{port}"
    registry.dump(content)
    command = ["nsenter", f"--net=/run/netns/{daemon.name}", sys.executable, "-m", "fakes.registry", str(port), str(content), str(slow)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    try:
        remote = Remote(process, f"127.0.0.1:{port}")
        remote.tell()
        yield remote
    finally:
        process.kill()
        process.communicate()
