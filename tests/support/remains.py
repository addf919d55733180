"""What one daemon of a test's holds on the host for containers: all of it must be gone once the containers are.

Looked for by what is found (names, owners, paths), not by what the daemon says; other daemons on the machine do not count.
"""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from support.daemon import Daemon, processes_of

ID = re.compile(r"[0-9a-f]{64}")


def remains(daemon: Daemon) -> dict[str, list[str]]:
    """Return, by kind, what is there that belongs to a container which the daemon does not list; empty when nothing leaked."""
    views = daemon.api("GET", "/containers/json?all=1")
    known = {view["Id"] for view in views}
    running = {view["Id"] for view in views if view["State"] in ("running", "paused")}
    volumes = {volume["Name"] for volume in daemon.api("GET", "/volumes")["Volumes"] or ()}
    found = {
        "snapshots": [name for home in daemon.data_root.glob("*/snapshots") for name in _names(home) if name not in known],
        "trash": [name for home in daemon.data_root.glob("*/trash") for name in _names(home)],
        "half-made": [
            str(path) for place in ("*/aside", "content/ingest", "tmp") for home in daemon.data_root.glob(place) for path in home.iterdir()
        ],
        "directories": [name for name in _names(daemon.data_root / "containers") if name not in known],
        "volumes": [name for name in _names(daemon.data_root / "volumes") if name not in volumes],
        "runtime state": [name for name in _names(daemon.exec_root / "exec/containers") if name not in known],
        "sandboxes": [name for name in _names(daemon.exec_root / "exec/sandboxes") if name.removesuffix(".json") not in running],
        "shims": shims(daemon, but=running),
        "cgroups": [path for path in _cgroups(daemon) if not any(name in path for name in running)],
        "veths": _veths(daemon, len(_bridged(daemon, running))),
        "mounts": [line for line in _mounts(daemon) if not any(name in line for name in known)],
        "zombies": [str(pid) for pid in zombies(daemon)],
    }
    return {kind: names for kind, names in found.items() if names}


def assert_nothing_left(daemon: Daemon, seconds: float = 20) -> None:
    """Assert that there are no remains; what is freed in the background gets some time for it."""
    left = settled(lambda: remains(daemon), {}, seconds)
    assert left == {}, left


def settled(look: Callable[[], object], wanted: object, seconds: float = 20) -> object:
    """Return what is seen once it is what is wanted, or at the end of the time whatever it is."""
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen


def family(daemon: Daemon) -> set[int]:
    """Return argosyd, its helpers and its shims with all below them."""
    return processes_of(Path(f"/run/netns/{daemon.name}").stat().st_ino)


def titled(daemon: Daemon, title: str) -> list[int]:
    """Return the daemon's processes of this name (their command line's first word) that lead their session.

    A launcher's spare fork has its name too, but is not a leader.
    """
    return [pid for pid in family(daemon) if _title(pid) == title and os.getsid(pid) == pid]


def shims(daemon: Daemon, but: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Return the ids of containers that have a shim, except these."""
    words = [_words(pid) for pid in titled(daemon, "argosy-shim")]
    return [word for line in words for word in line if ID.fullmatch(word) and word not in but]


def fds(daemon: Daemon) -> int:
    """Return how many files argosyd and its helpers have open; those of shims and containers do not count."""
    total = 0
    for pid in family(daemon):
        if _title(pid) == "argosy-launcher" or "argosy.daemon" in _words(pid):
            try:
                total += len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
    return total


def zombies(daemon: Daemon) -> list[int]:
    """Return its processes that ended and that nobody has waited for."""
    return [pid for pid in family(daemon) if _status(pid) == "Z"]


def _names(folder: Path) -> list[str]:
    return [name for name in sorted(os.listdir(folder)) if not name.startswith(".")] if folder.is_dir() else []


def _words(pid: int) -> list[str]:
    try:
        return re.split(r"[\0 ]", Path(f"/proc/{pid}/cmdline").read_text(errors="replace"))
    except OSError:
        return []


def _title(pid: int) -> str:
    words = _words(pid)
    # netd is started as a program of its own, the others are forks that rewrote their title.
    return "argosy-netd" if any("/netd/" in word for word in words) else (words or [""])[0]


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _cgroups(daemon: Daemon) -> list[str]:
    """Return the cgroups of containers that this daemon made: those that a client of ours asked it for."""
    made = daemon.api.made
    return [str(path) for path in Path("/sys/fs/cgroup").glob("*/argosy/*") if path.name in made]


def _bridged(daemon: Daemon, running: set[str]) -> list[str]:
    endpoints = []
    for identity in running:
        networks = daemon.api("GET", f"/containers/{identity}/json")["NetworkSettings"]["Networks"]
        endpoints += [name for name in networks if name not in ("host", "none")]
    return endpoints


def _veths(daemon: Daemon, wanted: int) -> list[str]:
    links = json.loads(daemon.run_inside(["ip", "-j", "link", "show", "type", "veth"]).stdout or "[]")
    names = [link["ifname"] for link in links]
    return names if len(names) != wanted else []


def _mounts(daemon: Daemon) -> list[str]:
    roots = (f" {daemon.data_root}/", f" {daemon.exec_root}/")
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if any(root in line for root in roots)]
