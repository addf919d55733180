"""Our command line and docker's on the same daemon: argosyd always, a Docker daemon where ARGOSY_TEST_PEER names one."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Daemon
from support.images import busybox, busybox_tar

PEER = os.environ.get("ARGOSY_TEST_PEER", "")


class Tool:
    """A command line on a daemon, with a configuration of its own."""

    def __init__(self, words: list[str], host: str, home: Path) -> None:
        self.words = [*words, "-H", host]
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LC_ALL": "C",
            "TERM": "xterm",
            "ARGOSY_CONFIG": str(home / "argosy"),
        }
        # What docker's command line of this test's age speaks: answers differ by version.
        self.environ["DOCKER_API_VERSION"] = "1.50"
        if path := os.environ.get("PYTHONPATH"):
            self.environ["PYTHONPATH"] = path

    def __call__(self, *words: str, stdin: str | bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return subprocess.run([*self.words, *words], input=data, capture_output=True, timeout=90, env=self.environ, **options)

    def out(self, *words: str, **options: Any) -> str:
        """Run it, expect success, return the output without the last line end."""
        done = self(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode} {done.stderr.decode()}"
        return done.stdout.decode().rstrip("\n")


class Bench:
    """Both tools on one daemon. Names begin with a mark of the test's own; what carries it is removed at the end."""

    image: str

    def __init__(self, host: str, home: Path) -> None:
        self.host = host
        self.mark = "clit" + secrets.token_hex(3)
        self.argosy = Tool([sys.executable, "-m", "argosy.cli"], host, home)
        self.docker = Tool(["docker"], host, home)

    def name(self, word: str = "c") -> str:
        return f"{self.mark}-{word}"

    def clean(self) -> None:
        listed = self.argosy.out("ps", "-aq", "--filter", f"name={self.mark}").split()
        if listed:
            self.argosy("rm", "-fv", *listed)
        for noun, fields in (("network", "{{.Name}}"), ("volume", "{{.Name}}")):
            found = [name for name in self.argosy.out(noun, "ls", "--format", fields).split() if name.startswith(self.mark)]
            if found:
                self.argosy(noun, "rm", *found)
        tags = self.argosy.out("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        if mine := [tag for tag in tags if tag.startswith(self.mark)]:
            self.argosy("rmi", "-f", *mine)


@pytest.fixture(scope="session")
def module_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Daemon]]:
    """One argosyd for all of these tests, started by the first that wants it."""
    made: list[Daemon] = []

    def start() -> Daemon:
        if not made:
            made.append(Daemon(tmp_path_factory.mktemp("d")))
            made[0].start()
        return made[0]

    yield start
    for daemon in made:
        daemon.destroy()


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    """Host → the bench that holds the image which all tests on that host share."""
    made: dict[str, Bench] = {}
    yield made
    for holder in made.values():
        # An argosyd of these tests may have gone before; what it held went with it.
        if holder.argosy("version").returncode == 0:
            holder.clean()


@pytest.fixture(params=["argosyd", "peer"])
def bench(request: pytest.FixtureRequest, module_daemon: Callable[[], Daemon], images: dict[str, Bench], tmp_path: Path) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if busybox() is None:
        pytest.skip("needs busybox-static")
    if request.param == "peer" and not PEER:
        pytest.skip("no Docker daemon to compare with: set ARGOSY_TEST_PEER=unix:///…")
    host = PEER if request.param == "peer" else module_daemon().host
    found = Bench(host, tmp_path)
    if host not in images:
        holder = Bench(host, tmp_path)
        holder.image = holder.name("busybox")
        holder.argosy.out("import", "-c", 'CMD ["sh"]', "-", holder.image, stdin=busybox_tar())
        images[host] = holder
    found.image = images[host].image
    yield found
    found.clean()


@pytest.fixture
def both(bench: Bench) -> Bench:
    """Skip unless docker's command line is there to compare with."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command line to compare with")
    return bench
