"""Programs of Debian packages that tests use without installing them: fetched by apt-get, only unpacked."""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.rootfs import CACHE, mirror


def unpacked(*packages: str, architecture: str = "", suite: str = "") -> Path | None:
    """Return a folder with the contents of the packages, unpacked on first use; None when apt-get cannot fetch one (or is not there).

    ``architecture`` (dpkg's name) and ``suite``: of another one than this machine's.
    """
    folder = CACHE / "-".join(("unpacked", *filter(None, [suite]), *packages, *filter(None, [architecture])))
    if folder.exists():
        return folder
    if not shutil.which("apt-get"):
        return None
    half = CACHE / f"{folder.name}.half"
    shutil.rmtree(half, ignore_errors=True)
    (half / "debs").mkdir(parents=True)
    try:
        with _lists(architecture, suite) as environ:
            # apt's own sandbox user may not write into a folder of ours.
            fetch = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages]
            if environ is None or subprocess.run(fetch, cwd=half / "debs", env=environ, **_QUIET).returncode:
                return None
        for package in (half / "debs").glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(half)], check=True)
        shutil.rmtree(half / "debs")
        half.rename(folder)
        return folder
    finally:
        shutil.rmtree(half, ignore_errors=True)


_QUIET = {"capture_output": True, "stdin": subprocess.DEVNULL}


@contextmanager
def _lists(architecture: str, suite: str) -> Iterator[dict[str, str] | None]:
    """Yield the environment for apt-get; with lists of its own where the machine's will not do, None when they cannot be fetched."""
    if not (architecture or suite):
        yield dict(os.environ)
        return
    with tempfile.TemporaryDirectory(prefix="argosy-apt-") as place:
        apt = Path(place)
        (apt / "lists/partial").mkdir(parents=True)
        (apt / "cache/archives/partial").mkdir(parents=True)
        (apt / "status").touch()
        settings = {
            "Dir::State::lists": f"{apt}/lists", "Dir::State::status": f"{apt}/status", "Dir::Cache": f"{apt}/cache",
            "Acquire::Languages": "none", "APT::Sandbox::User": "root",
        }  # fmt: skip
        if architecture:
            settings |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
        if suite:
            key = "/usr/share/keyrings/debian-archive-keyring.gpg"
            (apt / "sources.list").write_text(f"deb [signed-by={key}] {mirror()} {suite} main\n")
            settings |= {"Dir::Etc::sourcelist": f"{apt}/sources.list", "Dir::Etc::sourceparts": "-"}
        (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
        environ = os.environ | {"APT_CONFIG": str(apt / "apt.conf")}
        yield environ if not subprocess.run(["apt-get", "-qq", "update"], env=environ, **_QUIET).returncode else None


@functools.cache
def program(name: str, alternatives: Sequence[Sequence[str]]) -> str | None:
    """Return the path of a program: the machine's own, else out of the first set of packages that can be fetched and has it."""
    if own := shutil.which(name):
        return own
    for packages in alternatives:
        folder = unpacked(*packages)
        for place in ("usr/bin", "usr/sbin", "bin", "sbin", "usr/libexec/docker/cli-plugins"):
            if folder and os.access(folder / place / name, os.X_OK):
                return str(folder / place / name)
    return None


def docker_cli() -> str | None:
    """Return the official docker CLI: ARGOSY_DOCKER_CLI, else `docker` of the machine, else Debian's (in docker.io until Debian 12)."""
    return os.environ.get("ARGOSY_DOCKER_CLI") or program("docker", (("docker-cli",), ("docker.io",)))


@functools.cache
def cli_plugin(name: str) -> str | None:
    """Return a plugin of the docker CLI (``buildx``, ``compose``): ARGOSY_BUILDX and the like, else Debian sid's.

    Debian 12 has no buildx, and Compose 1.
    """
    if named := os.environ.get(f"ARGOSY_{name.upper()}"):
        return named
    folder = unpacked(f"docker-{name}", suite="sid")
    found = folder / f"usr/libexec/docker/cli-plugins/docker-{name}" if folder else None
    return str(found) if found and os.access(found, os.X_OK) else None
