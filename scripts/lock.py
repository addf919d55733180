#!/usr/bin/env python3
"""Write requirements/*.txt: every package with its version and the hashes of the files that our machines can use.

Those under requirements/clients are of tools and clients that have an environment of their own.

Usage: scripts/lock.py [--upgrade]      (anyone may run it; it needs pip and a package index, and installs nothing here)

The resolver is `uv` from PyPI, put into a throw-away venv. It resolves once for all Pythons (universal) and writes a PEP 751
lock, from which this script keeps what CPython 3.11 to 3.14 on Linux with glibc on x86-64 and aarch64 can install, with the sdist
only where no wheel fits. Addresses are left out: `pip install --require-hashes` takes the files from wherever pip is told to.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent / "requirements"
PYTHONS = (11, 12, 13, 14)
MACHINES = ("x86_64", "aarch64")
UV = "uv>=0.8"
HEADER = "# Written by scripts/lock.py from {source}; do not edit. CPython 3.11 to 3.14, Linux with glibc, x86-64 and aarch64.\n"


def wheel_fits(name: str, python: int, machine: str) -> bool:
    """Tell whether CPython 3.``python`` on glibc and ``machine`` can install this wheel (tags as PEP 425, stable ABI as PEP 384)."""
    pythons, abis, platforms = (tag.split(".") for tag in name.removesuffix(".whl").split("-")[-3:])
    if "any" not in platforms and not any("linux_" in p and "musl" not in p and p.endswith(machine) for p in platforms):
        return False
    if "abi3" in abis:
        return any(p.startswith("cp3") and int(p[3:]) <= python for p in pythons)
    return (f"cp3{python}" in pythons and not any(abi.endswith("t") for abi in abis)) or "py3" in pythons


def file_name(item: dict[str, Any]) -> str:
    """Return the name of a wheel or sdist entry of the lock (PEP 751: `name`, else the end of `url` or `path`)."""
    return str(item.get("name") or item.get("url") or item["path"]).rsplit("/", 1)[-1]


def pinned(package: dict[str, Any]) -> str:
    """Return the requirement lines of one package, or nothing where a marker keeps it off our machines."""
    marker = str(package.get("marker", ""))
    if "sys_platform == 'win32'" in marker or "sys_platform == 'emscripten'" in marker:
        return ""
    files: dict[str, str] = {}
    for python, machine in itertools.product(PYTHONS, MACHINES):
        fitting = [wheel for wheel in package.get("wheels", ()) if wheel_fits(file_name(wheel), python, machine)]
        files |= {file_name(item): item["hashes"]["sha256"] for item in fitting or [package["sdist"]]}
    digests = sorted(set(files.values()))
    condition = f" ; {marker}" if marker else ""
    return f"{package['name']}=={package['version']}{condition}" + "".join(f" \\\n    --hash=sha256:{digest}" for digest in digests) + "\n"


def resolve(uv: Path, source: Path, target: Path, scratch: Path, upgrade: bool) -> str:
    """Resolve one .in file, keeping the versions of its present .txt unless ``upgrade``; return the text of the new .txt."""
    lock = scratch / f"pylock.{source.stem}.toml"
    keep: list[str] = []
    if source.stem == "dev":
        keep += ["--constraint", str(target.with_name("runtime.txt"))]
    if target.exists() and not upgrade:
        known = scratch / f"{source.stem}.constraints"
        known.write_text(
            "".join(
                line.split(" \\")[0].split(" ;")[0] + "\n"
                for line in target.read_text().splitlines()
                if "==" in line and "--hash" not in line
            )
        )
        keep += ["--constraint", str(known)]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    command = [str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--format", "pylock.toml", "--no-config"]
    subprocess.run([*command, "--output-file", str(lock), *keep, str(source)], check=True, stdout=subprocess.DEVNULL, env=environ)
    packages = tomllib.loads(lock.read_text())["packages"]
    return HEADER.format(source=source.name) + "".join(pinned(package) for package in packages)


def main() -> int:
    """Lock each .in file. Exits non-zero when the resolver fails or a package has no usable file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions instead of keeping the locked ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="argosy-lock-") as folder:
        scratch = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", str(scratch / "venv")], check=True)
        subprocess.run([str(scratch / "venv/bin/pip"), "-q", "install", UV], check=True)
        for source in (HERE / "runtime.in", HERE / "dev.in", *sorted((HERE / "clients").glob("*.in"))):
            target = source.with_suffix(".txt")
            text = resolve(scratch / "venv/bin/uv", source, target, scratch, options.upgrade)
            target.write_text(text)
            print(f"{target.name}: {text.count('==')} packages, {text.count('--hash')} hashes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
