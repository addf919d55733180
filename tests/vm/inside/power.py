"""Runs in the virtual machine: checks what the last boot left on /data, then creates, commits and loads until the power is cut.

What was promised (answered with success) is written down with its sync before the next step; all of it must be there at the next boot.
"""

import io
import json
import os
import sys
import tarfile
from pathlib import Path

from support.daemon import Daemon
from support.images import add_file

DATA = Path("/data")
PROMISES = DATA / "promises"


def say(text: str) -> None:
    """Tell the host, by the console that it watches."""
    with open("/dev/ttyS0", "w") as console:
        console.write(text + "\n")


def promise(kind: str, name: str) -> None:
    """Write down what the daemon has promised, and wait for the disk."""
    with PROMISES.open("a") as file:
        file.write(f"{kind} {name}\n")
        file.flush()
        os.fsync(file.fileno())


def unsound(why: str) -> None:
    """Say what is wrong and end."""
    say(f"argosy-power-unsound {why}")
    sys.exit(f"unsound: {why}")


def check(daemon: Daemon) -> None:
    """Compare what is there with what was promised; run one of each."""
    promised = [line.split() for line in PROMISES.read_text().splitlines()] if PROMISES.exists() else []
    containers = {view["Names"][0].lstrip("/") for view in daemon.api("GET", "/containers/json?all=1")}
    images = {tag for view in daemon.api("GET", "/images/json") for tag in view["RepoTags"] or ()}
    for kind, name in promised:
        if kind == "container" and name not in containers:
            unsound(f"the container {name} was promised and is gone")
        if kind == "image" and name not in images:
            unsound(f"the image {name} was promised and is gone")
    for name in sorted(containers):
        status, _, body = daemon.api.raw("POST", f"/containers/{name}/start")
        if status not in (204, 304):
            unsound(f"the container {name} does not start: {body!r}")
        daemon.api("POST", f"/containers/{name}/wait", timeout=300)
    for name in sorted(images):
        body = {"Image": name, "Cmd": ["busybox", "sha256sum", "-c", "/sums"] if name.startswith("loaded") else ["busybox", "true"]}
        made = daemon.api("POST", "/containers/create", body)["Id"]
        daemon.api("POST", f"/containers/{made}/start")
        if code := daemon.api("POST", f"/containers/{made}/wait", timeout=300)["StatusCode"]:
            unsound(f"the image {name} is damaged: exit code {code}")
        daemon.api("DELETE", f"/containers/{made}")


def layer(number: int) -> bytes:
    """Return a root filesystem with a file of its own and the sum that it must have."""
    import hashlib

    data = os.urandom(1 << 20)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        add_file(tar, "bin/busybox", Path("/bin/busybox").read_bytes(), 0o755)
        add_file(tar, "data", data)
        add_file(tar, "sums", f"{hashlib.sha256(data).hexdigest()}  /data\n".encode())
        add_file(tar, "number", str(number).encode())
    return stream.getvalue()


def work(daemon: Daemon, turn: int) -> None:
    """Go on for ever, a step at a time."""
    step = 0
    while True:
        step += 1
        name = f"n{turn}-{step}"
        say(f"argosy-power-step {step}")
        route = f"/images/create?fromSrc=-&repo=loaded-{name}&tag=1&changes=ENV%20PATH=/bin"
        status, _, body = daemon.api.raw("POST", route, layer(step), {"Content-Type": "application/x-tar"})
        if status != 200 or b"errorDetail" in body:
            unsound(f"import failed: {body!r}")
        promise("image", f"loaded-{name}:1")
        command = {"Image": f"loaded-{name}:1", "Cmd": ["busybox", "sh", "-c", "echo written > /written"]}
        daemon.api("POST", f"/containers/create?name={name}", command)
        promise("container", name)
        daemon.api("POST", f"/containers/{name}/start")
        daemon.api("POST", f"/containers/{name}/wait", timeout=300)
        daemon.api("POST", f"/commit?container={name}&repo=committed-{name}&tag=1", {})
        promise("image", f"committed-{name}:1")


def main() -> int:
    """Start a daemon on the disk, check, and work if that is asked."""
    daemon = Daemon(DATA)
    daemon.data_root = DATA / "argosy"
    daemon.start()
    check(daemon)
    print(json.dumps({"images": len(daemon.api("GET", "/images/json"))}))
    if sys.argv[1] == "work":
        work(daemon, int(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
