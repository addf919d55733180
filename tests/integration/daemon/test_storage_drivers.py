"""A container's whole life on each storage driver: run, change, diff, copy, export, commit, a daemon that dies and comes back, remove."""

import io
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from integration.daemon.steps import executed, said, start
from support.daemon import Daemon
from support.leaks import LeakCheck
from support.loop import loop

pytestmark = pytest.mark.root


def one_file(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def names(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return set(tar.getnames())


def servers(root: Path) -> list[str]:
    """Return the running fuse-overlayfs that serve trees below ``root``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if words.startswith(b"fuse-overlayfs") and bytes(root) in words:
            found.append(folder.name)
    return found


def mounts(root: Path) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {root}/" in line]


@pytest.fixture
def daemon(leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    driver = request.param
    if driver == "fuse-overlayfs" and not shutil.which(driver):
        pytest.skip("needs fuse-overlayfs")
    with loop(tmp_path / "pool", "btrfs", 1024) if driver == "btrfs" else nullcontext(tmp_path) as folder:
        made = daemons(start=False, arguments=["--storage-driver", driver])
        made.data_root = folder / "data"
        made.start()
        made.import_busybox()
        yield made
        made.destroy()


@pytest.mark.parametrize("daemon", ["overlay2", "fuse-overlayfs", "btrfs", "vfs"], indirect=True)
def test_a_containers_whole_life(daemon: Daemon, request: pytest.FixtureRequest) -> None:
    driver = request.node.callspec.params["daemon"]
    info = daemon.api("GET", "/info")
    assert info["Driver"] == driver
    assert dict(map(tuple, info["DriverStatus"]))["Chosen"] == "asked for by --storage-driver"

    start(
        daemon,
        "box",
        "echo changed >/etc/group; rm /www/index.html; mkdir -p /new/deep; echo made >/new/deep/file; touch /ready; sleep 600",
    )
    assert executed(daemon, "box", "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done")[0] == 0
    assert executed(daemon, "box", "sh", "-c", "chown 33:33 /new/deep/file && mv /new/deep /new/moved && cat /new/moved/file") == (
        0,
        "made\n",
    )
    changed = {(item["Kind"], item["Path"]) for item in daemon.api("GET", "/containers/box/changes")}
    expected = {(0, "/etc"), (0, "/etc/group"), (0, "/www"), (2, "/www/index.html"), (1, "/new"), (1, "/new/moved"), (1, "/new/moved/file")}
    assert changed == expected | {(1, "/ready")}

    # The daemon dies and finds it again, still running and still writable.
    daemon.kill()
    daemon.start()
    assert daemon.api("GET", "/containers/box/json")["State"]["Running"]
    assert executed(daemon, "box", "sh", "-c", "echo more >>/new/moved/file; cat /new/moved/file") == (0, "made\nmore\n")
    assert daemon.api("GET", "/containers/box/json?size=1")["SizeRw"] > 0

    # Copies, while it runs and when it does not.
    for running in (True, False):
        status, _, data = daemon.api.raw("PUT", "/containers/box/archive?path=/new", one_file(f"in-{running}", b"copied"))
        assert status == 200, data
        assert names(daemon.api.raw("GET", "/containers/box/archive?path=/new/moved")[2]) == {"moved", "moved/file"}
        exported = names(daemon.api.raw("GET", "/containers/box/export", timeout=120)[2])
        assert {"new/moved/file", f"new/in-{running}", "bin/busybox"} <= exported
        assert "www/index.html" not in exported
        daemon.api("POST", f"/commit?container=box&repo=image-{running}".lower(), {})
        if running:
            daemon.api("POST", "/containers/box/kill")
            daemon.api("POST", "/containers/box/wait")
    before = daemon.api("GET", "/images/busybox/json")["RootFS"]["Layers"]
    assert daemon.api("GET", "/images/image-true/json")["RootFS"]["Layers"][:-1] == before
    text = said(daemon, "cat /new/moved/file /new/in-True /etc/group; ls /www; stat -c %u:%g /new/moved/file", image="image-true")
    assert text == "made\nmore\ncopiedchanged\n33:33\n"
    assert said(daemon, "ls /new", image="image-false") == "in-False\nin-True\nmoved\n"

    # It starts again with what it wrote.
    daemon.api("POST", "/containers/box/start")
    assert executed(daemon, "box", "cat", "/new/in-False") == (0, "copied")
    daemon.api("DELETE", "/containers/box?force=1")
    for name in ("image-true", "image-false", "busybox"):
        daemon.api("DELETE", f"/images/{name}")
    assert mounts(daemon.data_root) == []
    deadline = time.monotonic() + 20
    while servers(daemon.data_root) and time.monotonic() < deadline:
        time.sleep(0.05)  # the kernel ends a server's connection after the last process of its container
    assert servers(daemon.data_root) == []
    left = [path for part in ("layers", "snapshots", "aside") for path in (daemon.data_root / driver / part).iterdir()]
    assert left == []


DOCKERFILE = b"""FROM busybox
RUN mkdir /built && echo run >/built/one && rm -r /www && mkdir /www && echo new >/www/only
COPY two /built/two
RUN cat /built/one /built/two >/built/both && rm /built/one
"""


@pytest.mark.parametrize("daemon", ["overlay2", "fuse-overlayfs", "btrfs", "vfs"], indirect=True)
def test_an_image_is_built(daemon: Daemon) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in (("Dockerfile", DOCKERFILE), ("two", b"copied\n")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    headers = {"Content-Type": "application/x-tar"}
    status, _, answer = daemon.api.raw("POST", "/build?t=built", stream.getvalue(), headers, timeout=120)
    assert status == 200 and b"errorDetail" not in answer, answer[-600:]
    assert said(daemon, "ls /built /www; cat /built/both", image="built") == "/built:\nboth\ntwo\n\n/www:\nonly\nrun\ncopied\n"
    archive = names(daemon.api.raw("GET", "/images/built/get", timeout=60)[2])
    assert {"index.json", "manifest.json"} <= archive


@pytest.mark.parametrize("daemon", ["fuse-overlayfs"], indirect=True)
def test_a_server_that_was_killed_ends_the_containers_files_and_nothing_else(daemon: Daemon) -> None:
    start(daemon, "box", "echo kept >/kept; touch /ready; sleep 600")
    assert executed(daemon, "box", "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done")[0] == 0
    (server,) = servers(daemon.data_root)
    os.kill(int(server), signal.SIGKILL)
    assert executed(daemon, "box", "cat", "/kept")[0] != 0
    daemon.api("POST", "/containers/box/restart?t=0")
    assert executed(daemon, "box", "cat", "/kept") == (0, "kept\n")
    daemon.api("DELETE", "/containers/box?force=1")
