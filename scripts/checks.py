#!/usr/bin/env python3
"""Run every check that needs no test: style, types, layers, spelling, dead code, dependencies, shell scripts, sizes.

Usage: scripts/checks.py [NAME...]   (in .venv; each name is one of those it prints)
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "tests"))

from support.results import Results  # noqa: E402

LONGEST = 500
BIN = HERE / ".venv/bin"


def tracked(*patterns: str) -> list[str]:
    """Return the files of the checkout (committed or not yet) that match, as git knows them; all that lie there without git."""
    done = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", *patterns], cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        hidden = {".venv", ".test-state", ".git"}
        found = (str(p.relative_to(HERE)) for pattern in patterns for p in HERE.rglob(pattern.rsplit("/", 1)[-1]))
        return sorted(name for name in found if not hidden & set(Path(name).parts))
    return sorted({name for name in done.stdout.split("\0") if name and (HERE / name).is_file()})


def shell_scripts() -> list[str]:
    """Return the files that a shell reads."""
    named = tracked("*.sh")
    rest = [name for name in tracked() if "." not in Path(name).name or name == ".ci/run"]
    return sorted(
        {
            *named,
            *(name for name in rest if (HERE / name).read_bytes()[:20].startswith((b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash"))),
        }
    )


def tool(*command: str) -> Callable[[], str | None]:
    """Return a check that runs a program of .venv and answers its output when it fails."""

    def run() -> str | None:
        environ = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"}
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]], cwd=HERE, capture_output=True, text=True, env=environ, stdin=subprocess.DEVNULL
        )
        return None if done.returncode == 0 else done.stdout + done.stderr

    return run


def shell() -> str | None:
    """Check our shell scripts with shellcheck, as the scripts source each other."""
    done = subprocess.run(["shellcheck", "-x", "-P", ".", *shell_scripts()], cwd=HERE, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr


def compatibility() -> str | None:
    """Check that docs/compatibility.md is what the tables say, and that whatever of Docker's is not here has its reason."""
    done = subprocess.run([str(BIN / "python"), "scripts/compatibility", "--check"], cwd=HERE, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr


def sizes() -> str | None:
    """Check that no source file holds more than one idea can need."""
    long = [(len((HERE / name).read_bytes().splitlines()), name) for name in tracked("src/*.py")]
    return "\n".join(f"{name}: {lines} lines, more than {LONGEST}" for lines, name in sorted(long) if lines > LONGEST) or None


def lock() -> str | None:
    """Check that each direct dependency is locked, and that the lock names no address."""
    wrong = []
    for source in sorted((HERE / "requirements").rglob("*.in")):
        locked = source.with_suffix(".txt")
        text = locked.read_text().lower() if locked.exists() else ""
        wanted = (line.split("#")[0].strip().lower() for line in source.read_text().splitlines())
        names = (re.match(r"[a-z0-9._-]+", package) for package in wanted if package and package[0] != "-")
        wrong += [
            f"{name[0]} of {source.name} is not locked: run scripts/lock.py" for name in names if name and f"\n{name[0]}==" not in text
        ]
        if "://" in text or "--index" in text or "--find-links" in text:
            wrong.append(f"{locked.relative_to(HERE)} names an address")
    return "\n".join(wrong) or None


CHECKS: dict[str, Callable[[], str | None]] = {
    "ruff": tool("ruff", "check", "."),
    "format": tool("ruff", "format", "--check", "."),
    "mypy": tool("mypy"),
    "contracts": tool("lint-imports"),
    "codespell": tool("codespell"),
    "vulture": tool("vulture"),
    "deptry": tool("deptry", "."),
    "shellcheck": shell,
    "sizes": sizes,
    "lock": lock,
    "compatibility": compatibility,
}


def main(names: list[str]) -> int:
    """Run the named checks, all by default; return the exit status."""
    results = Results()
    for name in names or CHECKS:
        if name == "shellcheck" and not shutil.which("shellcheck"):
            results.add_skip(name, "shellcheck is not installed")
            continue
        complaint = CHECKS[name]()
        if complaint is None:
            results.add_pass(name)
        else:
            print("\n".join(f"  | {line}" for line in complaint.strip().splitlines()[-60:]))
            results.add_failure(name)
    return results.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
