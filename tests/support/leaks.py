"""What a machine holds of ours: links, mounts, network namespaces, cgroups, firewall tables, processes. Taken before and after a test."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

LeakCheck = Callable[[], dict[str, list[str]]]
OURS = re.compile(r"argosy|\bagt")
# A veth keeps no name of ours once its peer is gone, so every one that came new counts.
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
            found.add(f"{folder.name} ({name}, started {started})")
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
