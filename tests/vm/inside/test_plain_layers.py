"""An image of 40 layers on a kernel whose mount options end with a page and which has no `lowerdir+` (Linux 6.7)."""

import hashlib
import io
import json
import os
import tarfile

from support.daemon import Daemon
from support.images import add_file, busybox_tar
from vm.inside.using import begin, inside, inspect, remove, run

LAYERS = 40


def archive() -> bytes:
    """Return what `docker save` would write."""
    layers = [busybox_tar()]
    for number in range(1, LAYERS):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            add_file(tar, f"layer-{number}", str(number).encode())
        layers.append(stream.getvalue())
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]},
        "history": [{"created_by": f"layer {number}"} for number in range(LAYERS)],
    }
    names = [f"{number}/layer.tar" for number in range(LAYERS)]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        add_file(tar, "config.json", json.dumps(config).encode())
        for name, data in zip(names, layers, strict=True):
            add_file(tar, name, data)
        add_file(tar, "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": ["tall:latest"], "Layers": names}]).encode())
    return out.getvalue()


def test_this_kernel_is_an_older_one() -> None:
    assert tuple(int(part) for part in os.uname().release.split(".")[:2]) < (6, 7)


def test_it_is_loaded_and_runs(daemon: Daemon) -> None:
    status, _, body = daemon.api.raw("POST", "/images/load", archive(), {"Content-Type": "application/x-tar"}, timeout=300)
    assert status == 200 and b"errorDetail" not in body, body
    assert run(daemon, "tall", "sh", "-c", "cat /layer-* | wc -c; ls /layer-* | wc -l").split() == ["69", str(LAYERS - 1)]
    assert run(daemon, "tall", "sh", "-c", "echo new > /layer-7; cat /layer-7") == "new"


def test_it_is_committed_and_the_commit_runs(daemon: Daemon) -> None:
    begin(daemon, "grown", "tall", "sh", "-c", "rm /layer-3; echo own > /own; sleep 600")
    daemon.api("POST", "/commit?container=grown&repo=taller&tag=latest", {}, timeout=300)
    assert len(daemon.api("GET", "/images/taller/json")["RootFS"]["Layers"]) == LAYERS + 1
    assert run(daemon, "taller", "sh", "-c", "cat /own; ls /layer-* | wc -l").split() == ["own", str(LAYERS - 2)]
    remove(daemon, "grown")


def test_it_is_adopted_by_the_next_daemon_and_starts_again(daemon: Daemon) -> None:
    before = begin(daemon, "kept", "tall", "sh", "-c", "echo here >> /kept; sleep 600")
    daemon.kill()
    daemon.start()
    assert inspect(daemon, "kept")["State"]["Pid"] == before["State"]["Pid"]
    assert inside(daemon, "kept", "cat /kept /layer-39").split() == ["here", "39"]
    daemon.api("POST", "/containers/kept/restart?t=0", timeout=300)
    assert inside(daemon, "kept", "wc -l </kept") == "2"
    changes = {change["Path"] for change in daemon.api("GET", "/containers/kept/changes")}
    assert changes == {"/kept"}
    remove(daemon, "kept")
