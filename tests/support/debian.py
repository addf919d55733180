"""Programs of Debian packages that tests use without installing them: fetched by apt-get, only unpacked."""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.rootfs import CACHE


def unpacked(*packages: str, architecture: str = "") -> Path | None:
    """Return a folder with the contents of the packages, unpacked on first use; None when apt-get cannot fetch one (or is not there).

    ``architecture``: dpkg's name of another one than this machine's.
    """
    folder = CACHE / "-".join(("unpacked", *packages, *filter(None, [architecture])))
    if folder.exists():
        return folder
    if not shutil.which("apt-get"):
        return None
    half = CACHE / f"{folder.name}.half"
    shutil.rmtree(half, ignore_errors=True)
    (half / "debs").mkdir(parents=True)
    # apt's own sandbox user may not write into a folder of ours.
    apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
    steps = [[*apt, "download", *packages]]
    if architecture:
        # Lists of its own: the machine's stay as they are.
        state = half / "apt"
        (state / "lists/partial").mkdir(parents=True)
        (state / "status").touch()
        apt += ["-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures={architecture}"]
        apt += ["-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::State::status={state}/status", "-o", f"Dir::Cache={state}"]
        steps = [[*apt, "update"], [*apt, "download", *packages]]
    for step in steps:
        if subprocess.run(step, cwd=half / "debs", capture_output=True, stdin=subprocess.DEVNULL).returncode:
            shutil.rmtree(half, ignore_errors=True)
            return None
    for package in (half / "debs").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(half)], check=True)
    shutil.rmtree(half / "debs")
    shutil.rmtree(half / "apt", ignore_errors=True)
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
