"""``--mount type=image``: the files of another image, read-only, for as long as the container is there."""

import io
import shutil
import tarfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.steps import executed, said, start
from support.builds import build
from support.daemon import Daemon
from support.leaks import LeakCheck
from support.loop import loop

pytestmark = pytest.mark.root

DATA = """FROM busybox
RUN mkdir -p /model/deep && echo one >/model/one && echo old >/model/deep/old && chown 1000:1001 /model/one
RUN rm /model/deep/old && echo new >/model/deep/new && ln -s deep /model/inside && ln -s /etc /model/out && ln -s ../../../../etc /model/up
"""


_OUT = "a link leads out of it"


def image(source: str, target: str = "/x", subpath: str = "") -> dict[str, Any]:
    options = {"ImageOptions": {"Subpath": subpath}} if subpath else {}
    return {"Type": "image", "Source": source, "Target": target, **options}


def provide(daemon: Daemon, name: str = "data:1") -> str:
    made = build(daemon, DATA, t=name)
    assert not made.error, made.error
    return made.id


def refused(daemon: Daemon, *mounts: dict[str, Any]) -> tuple[int, bytes]:
    """Return what a container with these mounts is told, at create or at start."""
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"Mounts": mounts}}
    status, _, data = daemon.api.raw("POST", "/containers/create", body)
    if status != 201:
        return status, data
    identity = daemon.api("GET", "/containers/json?all=1&limit=1")[0]["Id"]
    status, _, data = daemon.api.raw("POST", f"/containers/{identity}/start")
    assert daemon.api("GET", f"/containers/{identity}/json")["State"]["ExitCode"] == 128
    daemon.api("DELETE", f"/containers/{identity}")
    return status, data


@pytest.mark.parametrize("driver", ["overlay2", "fuse-overlayfs", "btrfs", "vfs"])
def test_an_images_files_are_there_and_cannot_be_written(
    leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path, driver: str
) -> None:
    if driver == "fuse-overlayfs" and not shutil.which(driver):
        pytest.skip("needs fuse-overlayfs")
    with loop(tmp_path / "pool", "btrfs", 1024) if driver == "btrfs" else nullcontext(tmp_path) as folder:
        daemon = daemons(start=False, arguments=["--storage-driver", driver])
        daemon.data_root = folder / "data"
        daemon.start()
        daemon.import_busybox()
        provide(daemon)
        show = "cat /x/model/one; ls /x/model/deep; stat -c %u:%g /x/model/one; touch /x/f 2>&1; rm /x/model/one 2>&1; exit 0"
        assert said(daemon, show, Mounts=[image("data:1")]) == (
            "one\nnew\n1000:1001\ntouch: /x/f: Read-only file system\nrm: can't remove '/x/model/one': Read-only file system\n"
        )
        text = said(daemon, "ls /x /y /z; touch /x/f 2>&1; exit 0", Mounts=[
            image("data:1", "/x", "model/deep"), image("data:1", "/y", "model/inside"), image("data:1", "/z/file", "model/one"),
        ])  # fmt: skip
        assert text == "/x:\nnew\n\n/y:\nnew\n\n/z:\nfile\ntouch: /x/f: Read-only file system\n"
        body = {"Image": "busybox", "HostConfig": {"Mounts": [image("data:1", "/x", "model/deep")]}}
        daemon.api("POST", "/containers/create?name=still", body)
        packed = daemon.api.raw("GET", "/containers/still/archive?path=/x")[2]
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            assert tar.getnames() == ["x", "x/new"]
        daemon.destroy()


def test_what_is_told_of_it_and_what_is_wrong_about_it(leak_check: LeakCheck, argosyd: Daemon) -> None:
    identity = provide(argosyd)
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Mounts": [image("data:1")]}}
    made = argosyd.api("POST", "/containers/create?name=box", body)
    assert made["Warnings"] == ["Image mount is an experimental feature"]
    told = argosyd.api("GET", "/containers/box/json")
    assert told["Mounts"] == [
        {"Type": "image", "Name": "data:1", "Source": identity, "Destination": "/x", "Mode": "", "RW": False, "Propagation": "rprivate"}
    ]
    assert told["HostConfig"]["Mounts"] == [image("data:1")]
    assert argosyd.api("GET", "/containers/json?all=1")[0]["Mounts"][0]["Name"] == "data:1"
    assert refused(argosyd, image("nosuch")) == (404, b'{"message":"No such image: nosuch:latest"}\n')
    for subpath, reason in (("nosuch", "no such file or directory"), ("model/out", _OUT), ("model/up", _OUT)):
        status, data = refused(argosyd, image("data:1", "/x", subpath))
        assert (status, data.decode()) == (500, f'{{"message":"cannot access path {identity}/{subpath}: {reason}"}}\n')
    status, data = refused(argosyd, image("data:1", "/x", "../up"))
    assert status == 400 and b"subpath must be a relative path within the" in data
    assert b"Duplicate mount point: /x" in refused(argosyd, image("data:1"), image("data:1"))[1]


def test_an_image_that_is_mounted_is_not_removed_and_its_layers_stay_even_by_force(leak_check: LeakCheck, argosyd: Daemon) -> None:
    identity = provide(argosyd)
    start(argosyd, "box", "sleep 600", Mounts=[image("data:1")])
    other = said(argosyd, "cat /x/model/one", VolumesFrom=["box"])
    assert other == "one\n"
    short = argosyd.api("GET", "/containers/box/json")["Id"][:12]
    status, _, data = argosyd.api.raw("DELETE", "/images/data:1")
    assert status == 409
    words = f"(must force) - container {short} is using its referenced image {identity[7:19]}"
    assert words in data.decode()
    assert argosyd.api("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D")["ImagesDeleted"] in (None, [])
    assert argosyd.api.raw("DELETE", f"/images/{identity}?force=1")[0] == 409  # it runs
    # A daemon that dies takes nothing away, and knows it again.
    argosyd.kill()
    argosyd.start()
    assert executed(argosyd, "box", "cat", "/x/model/one") == (0, "one\n")
    argosyd.api("POST", "/containers/box/kill")
    argosyd.api("POST", "/containers/box/wait")
    argosyd.api("DELETE", f"/images/{identity}?force=1")
    argosyd.stop()
    argosyd.start()
    argosyd.api("POST", "/containers/box/start")
    assert executed(argosyd, "box", "cat", "/x/model/one") == (0, "one\n")
    mounted = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(argosyd.data_root) in line]
    assert mounted == []
    argosyd.api("DELETE", "/containers/box?force=1")
    argosyd.api("POST", "/build/prune?all=1")
    argosyd.api("DELETE", "/images/busybox")
    assert list((argosyd.data_root / "overlay2/layers").glob("*")) == []


def test_with_a_user_namespace_and_another_runtime_it_is_the_same(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    etc = {"subuid": "nobody:500000:65536\n", "subgid": "nogroup:700000:65536\n"}
    daemon = daemons(arguments=["--userns-remap", "nobody:nogroup"], etc=etc)
    provide(daemon)
    mounts = [image("data:1"), image("data:1", "/y", "model")]
    show = "stat -c '%n %u:%g' /x /x/model/one /y/one; touch /y/f 2>&1; exit 0"
    told = "/x 0:0\n/x/model/one 1000:1001\n/y/one 1000:1001\ntouch: /y/f: Read-only file system\n"
    assert said(daemon, show, Mounts=mounts) == told
    assert said(daemon, show, Mounts=mounts, UsernsMode="host") == told
    if "runc" in daemon.api("GET", "/info")["Runtimes"]:
        assert said(daemon, show, Mounts=mounts, Runtime="runc") == told


@pytest.mark.parametrize("arguments", [[], ["--userns-remap", "nobody:nogroup"]])
def test_copies_reach_it_whether_the_container_runs_or_not(
    leak_check: LeakCheck, daemons: Callable[..., Daemon], arguments: list[str]
) -> None:
    daemon = daemons(arguments=arguments, etc={"subuid": "nobody:500000:65536\n", "subgid": "nogroup:700000:65536\n"})
    provide(daemon)
    mounts = [image("data:1"), image("data:1", "/y", "model/deep"), image("data:1", "/z", "model/one")]
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Mounts": mounts, "Binds": ["vol:/v"]}}
    daemon.api("POST", "/containers/create?name=box", body)
    for _ in range(2):
        for path, wanted in (("/x/model/one", {"one": (1000, 1001)}), ("/y", {"y": (0, 0), "y/new": (0, 0)}), ("/z", {"z": (1000, 1001)})):
            status, _, data = daemon.api.raw("GET", f"/containers/box/archive?path={path}")
            assert status == 200, data
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                assert {member.name: (member.uid, member.gid) for member in tar} == wanted
        status, _, data = daemon.api.raw("PUT", "/containers/box/archive?path=/x/model", data)
        assert status == 400 and b"mounted volume is marked read-only" in data
        assert daemon.api.raw("HEAD", "/containers/box/archive?path=/v")[0] == 200
        daemon.api("POST", "/containers/box/start")


def test_the_command_line_mounts_it(leak_check: LeakCheck, argosyd: Daemon) -> None:
    identity = provide(argosyd)
    done = argosyd.argosy("run", "--rm", "--mount", "type=image,source=data:1,target=/x,image-subpath=model", "busybox", "cat", "/x/one")
    assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr
    done = argosyd.argosy("run", "--rm", "--mount", "type=image,source=data:1,target=/x,image-subpath=nosuch", "busybox", "true")
    assert done.returncode == 127 and f"cannot access path {identity}/nosuch: no such file or directory" in done.stderr


def test_a_part_of_a_volume_cannot_lead_out_of_it(leak_check: LeakCheck, argosyd: Daemon) -> None:
    said(argosyd, "mkdir -p /v/sub/deep && echo in >/v/sub/deep/f && ln -s /etc /v/out && ln -s sub /v/in", Binds=["vol:/v"])

    def part(subpath: str) -> dict[str, Any]:
        return {"Type": "volume", "Source": "vol", "Target": "/p", "VolumeOptions": {"Subpath": subpath}}

    assert said(argosyd, "cat /p/deep/f; echo more >/p/g; ls /p", Mounts=[part("sub")]) == "in\ndeep\ng\n"
    assert said(argosyd, "cat /p/deep/f", Mounts=[part("in")]) == "in\n"
    status, data = refused(argosyd, part("out"))
    assert status == 500 and b"cannot access path" in data and b"/_data/out: a link leads out of it" in data
    status, data = refused(argosyd, part("nosuch"))
    assert status == 500 and b"/_data/nosuch: no such file or directory" in data
    # Nor while it does not run.
    body = {"Image": "busybox", "HostConfig": {"Mounts": [part("out")]}}
    argosyd.api("POST", "/containers/create?name=box", body)
    assert argosyd.api.raw("GET", "/containers/box/archive?path=/p/passwd")[0] == 404
