"""Runs in the virtual machine: checks what the last boot left on /data, then works a verb at a time until the power is cut.

What was promised (answered with success) is said on the console, where the host writes it down; all of it must be there at the next
boot, and what was not promised is either whole or not there. `VERBS` are said, too: the host cuts the power within one.
"""

import hashlib
import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from support.daemon import Daemon
from support.images import add_file

DATA = Path("/data")
PROMISES = Path("/tmp/promises")
"""What the boot before this one promised, from the host."""
VERBS = ("import", "create", "run", "commit", "load", "remove")
SWEEP_SECONDS = 120


def say(text: str) -> None:
    """Tell the host, by the console that it watches."""
    with open("/dev/ttyS0", "w") as console:
        console.write(text + "\n")


def unsound(why: str) -> NoReturn:
    """Say what is wrong and end."""
    say(f"argosy-power-unsound {why}")
    sys.exit(f"unsound: {why}")


class Promises:
    """What the daemon has promised: name → kind, ``either`` or ``gone``.

    They are kept by the host, who hears them on the console. On the disk they would be lost together with what they are about, and their
    own fsync would commit the journal, and so hide that the daemon forgot to.
    """

    def __init__(self) -> None:
        pairs = [line.split() for line in PROMISES.read_text().splitlines()]
        self.made = {name: kind for kind, name in pairs}

    def add(self, kind: str, name: str) -> None:
        say(f"argosy-promise {kind} {name}")


def check(daemon: Daemon, promises: Promises) -> None:
    """Compare what is there with what was promised, use each of it, and see that the boot swept the rest."""
    containers = {view["Names"][0].lstrip("/") for view in daemon.api("GET", "/containers/json?all=1")}
    images = {tag for view in daemon.api("GET", "/images/json") for tag in view["RepoTags"] or ()}
    there = {"container": containers, "image": images}
    for name, kind in promises.made.items():
        if kind in there and name not in there[kind]:
            unsound(f"the {kind} {name} was promised and is not there")
        if kind == "gone" and name in containers | images:
            unsound(f"{name} was removed and is there again")
    swept(daemon, len(containers))
    for name in sorted(containers):
        status, _, body = daemon.api.raw("POST", f"/containers/{name}/start")
        if status not in (204, 304):
            unsound(f"the container {name} does not start: {body!r}")
        if code := daemon.api("POST", f"/containers/{name}/wait", timeout=300)["StatusCode"]:
            unsound(f"the container {name} is damaged: exit code {code}")
        daemon.api("DELETE", f"/containers/{name}?force=1")
    for name in sorted(images):
        script = "sha256sum -c /sums" + (" && grep -q written /written" if name.startswith("committed") else "")
        made = daemon.api("POST", "/containers/create", {"Image": name, "Cmd": ["busybox", "sh", "-c", script]})["Id"]
        daemon.api("POST", f"/containers/{made}/start")
        if code := daemon.api("POST", f"/containers/{made}/wait", timeout=300)["StatusCode"]:
            unsound(f"the image {name} is damaged: exit code {code}")
        daemon.api("DELETE", f"/containers/{made}")
    for name in sorted(images):
        daemon.api("DELETE", f"/images/{name}?force=1")
    if left := daemon.api("GET", "/images/json?all=1"):
        unsound(f"images that cannot be removed: {left}")
    log = daemon.log.read_text(errors="replace")
    if "Traceback" in log or "level=ERROR" in log:
        unsound("the daemon complains: " + log[-2000:].replace("\n", " | "))


def swept(daemon: Daemon, containers: int) -> None:
    """Wait until nothing half-made or half-removed is left, and no snapshot without its container."""
    home = daemon.data_root / "overlay2"

    def left() -> list[str]:
        halves = [
            *home.glob("aside/*"),
            *home.glob("trash/*"),
            *daemon.data_root.glob("content/ingest/once-*"),
            *home.glob("layers/*.half"),
        ]
        kept = list((home / "snapshots").glob("*"))
        return [str(path) for path in halves] + ([f"{len(kept)} snapshots"] if len(kept) != containers else [])

    deadline = time.monotonic() + SWEEP_SECONDS
    while found := left():
        if time.monotonic() > deadline:
            unsound(f"not swept: {found}")
        time.sleep(0.2)


def layer(number: int) -> bytes:
    """Return a root filesystem with a file of its own and the sum that it must have."""
    data = os.urandom(1 << 20)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        add_file(tar, "bin/busybox", Path("/bin/busybox").read_bytes(), 0o755)
        add_file(tar, "data", data)
        add_file(tar, "sums", f"{hashlib.sha256(data).hexdigest()}  /data\n".encode())
        add_file(tar, "number", str(number).encode())
    return stream.getvalue()


def archive(reference: str, number: int) -> bytes:
    """Return an image of two layers as `docker save` writes it."""
    upper = io.BytesIO()
    with tarfile.open(fileobj=upper, mode="w") as tar:
        add_file(tar, "upper", os.urandom(1 << 18))
    layers = {"0/layer.tar": layer(number), "1/layer.tar": upper.getvalue()}
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["busybox", "sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers.values()]},
        "history": [{"created_by": "lower"}, {"created_by": "upper"}],
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        add_file(tar, "config.json", json.dumps(config).encode())
        for name, data in layers.items():
            add_file(tar, name, data)
        add_file(tar, "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [reference], "Layers": list(layers)}]).encode())
    return out.getvalue()


class Work:
    """One verb after another, for ever."""

    def __init__(self, daemon: Daemon, promises: Promises, turn: int) -> None:
        self._api = daemon.api
        self._promises = promises
        self._turn = turn

    def go_on(self) -> NoReturn:
        verbs: dict[str, Callable[[str, int], None]] = {
            "import": self._import, "create": self._create, "run": self._run, "commit": self._commit, "load": self._load,
            "remove": self._remove,
        }  # fmt: skip
        step = 0
        while True:
            step += 1
            for verb in VERBS:
                say(f"argosy-power {verb} {step}")
                verbs[verb](f"n{self._turn}-{step}", step)

    def _sent(self, route: str, data: bytes) -> None:
        status, _, body = self._api.raw("POST", route, data, {"Content-Type": "application/x-tar"}, timeout=300)
        if status != 200 or b"errorDetail" in body:
            unsound(f"{route} failed: {body!r}")

    def _import(self, name: str, step: int) -> None:
        self._sent(f"/images/create?fromSrc=-&repo=imported-{name}&tag=1&changes=ENV%20PATH=/bin", layer(step))
        self._promises.add("image", f"imported-{name}:1")

    def _create(self, name: str, step: int) -> None:
        command: Any = {"Image": f"imported-{name}:1", "Cmd": ["busybox", "sh", "-c", "sha256sum -c /sums && echo written > /written"]}
        for each in (name, f"{name}-short"):
            self._api("POST", f"/containers/create?name={each}", command)
            self._promises.add("container", each)

    def _run(self, name: str, step: int) -> None:
        self._api("POST", f"/containers/{name}/start")
        self._api("POST", f"/containers/{name}/wait", timeout=300)

    def _commit(self, name: str, step: int) -> None:
        self._api("POST", f"/commit?container={name}&repo=committed-{name}&tag=1", {}, timeout=300)
        self._promises.add("image", f"committed-{name}:1")

    def _load(self, name: str, step: int) -> None:
        self._sent("/images/load", archive(f"loaded-{name}:1", step))
        self._promises.add("image", f"loaded-{name}:1")

    def _remove(self, name: str, step: int) -> None:
        # No longer promised either way before the answer; for ever gone after it.
        for route, each in ((f"/containers/{name}-short", f"{name}-short"), (f"/images/loaded-{name}:1", f"loaded-{name}:1")):
            self._promises.add("either", each)
            self._api("DELETE", route)
            self._promises.add("gone", each)


def main() -> int:
    """Start a daemon on the disk, check, and work if that is asked."""
    daemon = Daemon(DATA)
    daemon.data_root = DATA / "argosy"
    daemon.log.unlink(missing_ok=True)
    daemon.start()
    promises = Promises()
    check(daemon, promises)
    say(f"argosy-power-sound {len(promises.made)}")
    print(json.dumps({"kept": len(promises.made)}))
    if sys.argv[1] == "work":
        Work(daemon, promises, int(sys.argv[2])).go_on()
    return 0


if __name__ == "__main__":
    sys.exit(main())
