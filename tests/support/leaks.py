"""What a machine holds of ours: links, mounts, network namespaces, cgroups, firewall tables, processes. Taken before and after a test."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from support.daemon import Daemon

OURS = re.compile(r"argosy|\bagt")
LINKS = re.compile(r"argosy|^agt|^veth|^vxlan")


def _lines(*command: str) -> list[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.splitlines()
    except FileNotFoundError:
        return []


def _links() -> frozenset[str]:
    return frozenset(name for name in os.listdir("/sys/class/net") if LINKS.search(name))


def _mounts() -> frozenset[str]:
    return frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if OURS.search(line.split()[4]))


def _namespaces() -> frozenset[str]:
    folder = Path("/run/netns")
    return frozenset(name for name in os.listdir(folder) if OURS.search(name)) if folder.is_dir() else frozenset()


def _cgroups() -> frozenset[str]:
    found = set()
    for top in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")]:
        for name in top.glob("*argosy*") if top.is_dir() else ():
            found |= {str(folder) for folder, _, _ in os.walk(name)}
    return frozenset(found)


def _tables() -> frozenset[str]:
    return frozenset(line for line in _lines("nft", "list", "tables") if OURS.search(line))


def _processes() -> frozenset[str]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            started = (folder / "stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            continue
        name = words[0].decode(errors="replace")
        if name.startswith("argosy-") or any(word.endswith(b"/argosyd") for word in words[:3]):
            line = b" ".join(words).decode(errors="replace").strip()
            found.add(f"{folder.name} ({line}, started {started})")
    return frozenset(found)


@dataclass(frozen=True)
class Holdings:
    """What is there now that carries a name of ours."""

    links: frozenset[str]
    mounts: frozenset[str]
    namespaces: frozenset[str]
    cgroups: frozenset[str]
    tables: frozenset[str]
    processes: frozenset[str]

    @classmethod
    def now(cls) -> "Holdings":
        """Look at the machine."""
        return cls(_links(), _mounts(), _namespaces(), _cgroups(), _tables(), _processes())

    def since(self, before: "Holdings") -> dict[str, list[str]]:
        """Return what came new after ``before`` and is still there, by kind; empty when nothing leaked."""
        new = {item.name: sorted(getattr(self, item.name) - getattr(before, item.name)) for item in fields(self)}
        return {kind: names for kind, names in new.items() if names}


class LeakCheck:
    """Tells what a test has left on the machine, by the marks of what it made: other engines may come and go meanwhile."""

    def __init__(self) -> None:
        self._before = Holdings.now()
        self._first = len(Daemon.made)
        self._marks: set[str] = set()

    def also(self, *marks: str) -> None:
        """Count what carries one of these words too, beside what belongs to the daemons that were made since."""
        self._marks |= set(marks)

    def __call__(self) -> dict[str, list[str]]:
        """Return what came new and is still there, by kind; empty when nothing leaked."""
        marks = self._marks | {mark for daemon in Daemon.made[self._first :] for mark in daemon.marks()}
        new = Holdings.now().since(self._before)
        found = {kind: [name for name in names if _marked(name, marks)] for kind, names in new.items()}
        return {kind: names for kind, names in found.items() if names}


def _marked(name: str, marks: Iterable[str]) -> bool:
    return any(mark in name for mark in marks)
