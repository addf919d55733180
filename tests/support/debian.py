"""Programs of Debian packages that tests use without installing them: fetched by apt-get, only unpacked."""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.rootfs import CACHE


def unpacked(*packages: str) -> Path | None:
    """Return a folder with the contents of the packages, unpacked on first use; None when apt-get cannot fetch one (or is not there)."""
    folder = CACHE / ("unpacked-" + "-".join(packages))
    if folder.exists():
        return folder
    if not shutil.which("apt-get"):
        return None
    half = CACHE / f"{folder.name}.half"
    shutil.rmtree(half, ignore_errors=True)
    (half / "debs").mkdir(parents=True)
    # apt's own sandbox user may not write into a folder of ours.
    fetch = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages]
    if subprocess.run(fetch, cwd=half / "debs", capture_output=True, stdin=subprocess.DEVNULL).returncode:
        shutil.rmtree(half, ignore_errors=True)
        return None
    for package in (half / "debs").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(half)], check=True)
    shutil.rmtree(half / "debs")
    half.rename(folder)
    return folder


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
