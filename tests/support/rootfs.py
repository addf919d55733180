"""Root filesystems for tests, made from this machine's own Debian mirror and kept as tar files between runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(os.environ.get("ARGOSY_TEST_CACHE", "/var/tmp/argosy-test-cache"))


def mirror() -> str:
    """Return the Debian mirror that this machine uses (sources.list(5), both forms), else Debian's own."""
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        for line in file.read_text(errors="replace").splitlines() if file.is_file() else ():
            found = re.match(r"(?:URIs:|deb(?: \[.*\])?)\s+(\S+/debian)/?(?:\s|$)", line)
            if found:
                return found[1]
    return "http://deb.debian.org/debian"


def debootstrap(suite: str, include: Sequence[str], name: str) -> Path:
    """Return the cached tar of a minimal Debian ``suite`` with the packages ``include``, made on first use (root, debootstrap).

    Raises CalledProcessError when debootstrap fails; nothing half-made stays.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"{name}.tar"
    if archive.exists():
        return archive
    tree, half = CACHE / f"{name}.tree", CACHE / f"{name}.half"
    shutil.rmtree(tree, ignore_errors=True)
    try:
        command = ["debootstrap", "--variant=minbase", "--include=" + ",".join(include), suite, str(tree), mirror()]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C"})
        if done.returncode:
            raise RuntimeError("debootstrap failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-10:]))
        for package in (tree / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        subprocess.run(["tar", "-C", str(tree), "--numeric-owner", "--xattrs", "-cf", str(half), "."], check=True)
        half.rename(archive)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        half.unlink(missing_ok=True)
    return archive


def unpack(archive: Path, tree: Path) -> None:
    """Unpack a root filesystem into a new folder."""
    tree.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(tree), "--numeric-owner", "--xattrs", "-xf", str(archive)], check=True)


def copy_checkout(checkout: Path, target: Path) -> None:
    """Copy what a clone would hold, with what is not committed yet, into a new folder."""
    target.mkdir(parents=True)
    names = subprocess.run(
        ["git", "-C", str(checkout), "ls-files", "-z", "-co", "--exclude-standard"], check=True, capture_output=True
    ).stdout
    there = b"\0".join(name for name in names.split(b"\0") if name and os.path.lexists(os.fsencode(checkout) + b"/" + name))
    pack = subprocess.Popen(
        ["tar", "-C", str(checkout), "--null", "-T", "-", "--warning=no-file-changed", "-cf", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert pack.stdin and pack.stdout
    unpack_ = subprocess.Popen(["tar", "-C", str(target), "--no-same-owner", "-xf", "-"], stdin=pack.stdout)
    pack.stdout.close()
    pack.stdin.write(there)
    pack.stdin.close()
    # Status 1: a file was being edited meanwhile (tar(1)).
    if unpack_.wait() or pack.wait() > 1:
        raise RuntimeError("the checkout could not be copied")


def pass_network_settings(tree: Path) -> dict[str, str]:
    """Give the tree this machine's way to its package registries; return the environment that goes with it."""
    for name in ("etc/resolv.conf", "etc/hosts"):
        (tree / name).unlink(missing_ok=True)
        shutil.copyfile(f"/{name}", tree / name)
    environ = {key: value for key, value in os.environ.items() if key.lower() in {"http_proxy", "https_proxy", "no_proxy", "pip_index_url"}}
    bundle = Path(os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt"))
    if bundle.exists():
        copy = tree / "etc/argosy-test-ca.crt"
        shutil.copyfile(bundle, copy)
        environ["PIP_CERT"] = "/etc/argosy-test-ca.crt"
    return environ
