"""Environments of tools and clients on trial: made once from requirements/clients/NAME.txt, kept between runs."""

import functools
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from support.rootfs import CACHE

LOCKS = Path(__file__).resolve().parents[2] / "requirements/clients"


@functools.cache
def venv(name: str) -> Path | None:
    """Return the folder of the environment ``name``, made on first use; None when the package index cannot be reached.

    Only what the lock names is installed, by hash, without a resolver.
    """
    lock = LOCKS / f"{name}.txt"
    folder = CACHE / f"venv-{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}-py{sys.version_info[1]}"
    if (folder / "ready").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, stdin=subprocess.DEVNULL)
    pip = [str(folder / "bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "--no-input", "install"]
    done = subprocess.run(
        [*pip, "--no-deps", "--require-hashes", "-r", str(lock)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    (folder / "ready").touch()
    return folder
