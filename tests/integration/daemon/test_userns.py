"""A daemon with ``--userns-remap``: whatever goes in or out speaks of the container's ids, and nothing of the host's is reached."""

import io
import json
import os
import re
import shutil
import struct
import tarfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.steps import executed, said, start
from support.builds import build
from support.daemon import Daemon
from support.images import busybox
from support.leaks import LeakCheck
from support.loop import loop

pytestmark = pytest.mark.root

UIDS, GIDS = 500_000, 700_000
ETC = {"subuid": f"nobody:{UIDS}:65536\n", "subgid": f"nogroup:{GIDS}:65536\n"}
REMAP = ["--userns-remap", "nobody:nogroup"]
XATTR = "SCHILY.xattr.security.capability"
NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
"""File capabilities of version 2: cap_net_raw permitted and effective (capabilities(7))."""


@pytest.fixture
def daemon(leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    driver = getattr(request, "param", "overlay2")
    with loop(tmp_path / "pool", "btrfs", 1024) if driver == "btrfs" else nullcontext(tmp_path) as folder:
        made = daemons(start=False, arguments=[*REMAP, "--storage-driver", driver], etc=ETC)
        made.data_root = folder / "data"
        made.start()
        made.import_busybox()
        yield made
        made.destroy()


Owner = tuple[int, int]


def member(
    name: str, data: bytes | None = b"", *, owner: Owner = (0, 0), mode: int = 0o644, **headers: str
) -> tuple[tarfile.TarInfo, bytes]:
    """A file, or a directory when ``data`` is None."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.REGTYPE if data is not None else tarfile.DIRTYPE
    info.uid, info.gid, info.mode, info.size = *owner, mode, len(data or b"")
    info.pax_headers = headers
    return info, data or b""


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def capability(value: bytes) -> dict[str, str]:
    return {XATTR: value.decode("utf-8", "surrogateescape")}


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as tar:
        return {info.name.strip("/"): info for info in tar}


def owners(archive: bytes) -> dict[str, Owner]:
    return {name: (info.uid, info.gid) for name, info in members(archive).items()}


def put(daemon: Daemon, container: str, path: str, archive: bytes, query: str = "") -> None:
    status, _, data = daemon.api.raw("PUT", f"/containers/{container}/archive?path={path}{query}", archive)
    assert status == 200, data


def got(daemon: Daemon, container: str, path: str) -> bytes:
    status, _, data = daemon.api.raw("GET", f"/containers/{container}/archive?path={path}")
    assert status == 200, data
    return data


def layers(daemon: Daemon, image: str) -> list[dict[str, Any]]:
    """Return each layer of an image: name → everything that a layer says of it, but times."""
    saved = daemon.api.raw("GET", f"/images/{image}/get", timeout=120)[2]
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        return [_told(tar.extractfile(name).read()) for name in manifest[0]["Layers"]]  # type: ignore[union-attr]


def _told(layer: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(layer), errors="surrogateescape") as tar:
        return {
            info.name.strip("/"): (
                info.type,
                info.uid,
                info.gid,
                oct(info.mode),
                info.linkname,
                info.pax_headers.get(XATTR, ""),
                tar.extractfile(info).read() if info.isreg() else b"",  # type: ignore[union-attr]
            )
            for info in tar
        }


def on_host(daemon: Daemon, container: str, path: str) -> Owner:
    """Return who owns a file of a running container as the host sees it."""
    pid = daemon.api("GET", f"/containers/{container}/json")["State"]["Pid"]
    found = Path(f"/proc/{pid}/root{path}").stat()
    return found.st_uid, found.st_gid


WRITE = "mkdir /w && touch /w/root /w/user /w/set && chown 1000:1001 /w/user && chown 7:8 /w && chown 5:6 /w/set && chmod 6755 /w/set"


@pytest.mark.parametrize("daemon", ["overlay2", "btrfs", "vfs"], indirect=True)
def test_what_a_container_writes_leaves_it_with_its_own_ids(daemon: Daemon) -> None:
    start(daemon, "box", f"{WRITE}; touch /ready; sleep 600")
    assert executed(daemon, "box", "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done; id -u; cat /proc/self/uid_map")[1].split() == [
        "0", "0", str(UIDS), "65536",
    ]  # fmt: skip
    assert on_host(daemon, "box", "/w/user") == (UIDS + 1000, GIDS + 1001)
    assert on_host(daemon, "box", "/bin/busybox") == (UIDS, GIDS)
    wanted = {"w": (7, 8), "w/root": (0, 0), "w/user": (1000, 1001), "w/set": (5, 6)}
    for running in (True, False):
        found = members(got(daemon, "box", "/w"))
        assert {name: (info.uid, info.gid) for name, info in found.items()} == wanted
        assert found["w/set"].mode == 0o6755
        exported = owners(daemon.api.raw("GET", "/containers/box/export", timeout=120)[2])
        assert wanted.items() <= exported.items()
        assert {exported[name] for name in ("bin", "bin/busybox", "etc/passwd")} == {(0, 0)}
        status, headers, _ = daemon.api.raw("HEAD", "/containers/box/archive?path=/w/user")
        assert status == 200 and "X-Docker-Container-Path-Stat" in headers
        assert {item["Path"] for item in daemon.api("GET", "/containers/box/changes")} == {"/ready", *(f"/{name}" for name in wanted)}
        image = f"image-{running}".lower()
        daemon.api("POST", f"/commit?container=box&repo={image}", {})
        top = layers(daemon, image)[-1]
        assert {name: entry[1:3] for name, entry in top.items() if name != "ready"} == wanted
        assert top["w/set"][3] == "0o6755"
        text = said(daemon, "stat -c '%n %u %g %a' /w /w/*", image=image)
        assert text == "/w 7 8 755\n/w/root 0 0 644\n/w/set 5 6 6755\n/w/user 1000 1001 644\n"
        if running:
            daemon.api("POST", "/containers/box/kill")
            daemon.api("POST", "/containers/box/wait")


@pytest.mark.parametrize("daemon", ["overlay2", "vfs"], indirect=True)
def test_what_is_copied_in_has_the_containers_ids(daemon: Daemon) -> None:
    start(daemon, "box", "sleep 600")
    for running in (True, False):
        archive = packed(
            member("d", None, owner=(33, 34), mode=0o750),
            member("d/f", b"x", owner=(1000, 1001), mode=0o4755),
            member("d/made/deep", b"x", owner=(2, 3)),
        )
        put(daemon, "box", "/tmp", archive)
        put(daemon, "box", "/tmp", packed(member("mine", b"", owner=(1, 1))), "&copyUIDGID=nobody")
        with_own = owners(got(daemon, "box", "/tmp"))
        assert with_own["tmp/d"] == (33, 34) and with_own["tmp/d/f"] == (1000, 1001) and with_own["tmp/d/made"] == (0, 0)
        assert members(got(daemon, "box", "/tmp/d/f"))["f"].mode == 0o4755
        status, _, data = daemon.api.raw("PUT", "/containers/box/archive?path=/tmp", packed(member("far", owner=(70_000, 0))))
        assert status == 400 and b"Container ID 70000 cannot be mapped to a host ID" in data
        if running:
            shown = executed(daemon, "box", "stat", "-c", "%u %g %a", "/tmp/d", "/tmp/d/f", "/tmp/d/made", "/tmp/d/made/deep")[1]
            assert shown == "33 34 750\n1000 1001 4755\n0 0 755\n2 3 644\n"
            assert on_host(daemon, "box", "/tmp/d/f") == (UIDS + 1000, GIDS + 1001)
            daemon.api("POST", "/containers/box/kill")
            daemon.api("POST", "/containers/box/wait")


@pytest.mark.parametrize("daemon", ["overlay2", "vfs"], indirect=True)
def test_file_capabilities_hold_in_the_container_and_name_no_root_in_an_archive(daemon: Daemon) -> None:
    program = busybox()
    assert program
    start(daemon, "box", "sleep 600")
    armed = packed(member("busybox", program.read_bytes(), mode=0o755, **capability(NET_RAW)))
    put(daemon, "box", "/tmp", armed)
    # Not root, and effective all the same: what the file gives.
    shown = "/tmp/busybox grep CapEff /proc/self/status"
    execution = daemon.api("POST", "/containers/box/exec", {"Cmd": ["sh", "-c", shown], "User": "1000", "AttachStdout": True})["Id"]
    assert b"0000000000002000" in daemon.api.raw("POST", f"/exec/{execution}/start", {"Detach": False})[2]
    for running in (True, False):
        assert members(got(daemon, "box", "/tmp/busybox"))["busybox"].pax_headers[XATTR] == capability(NET_RAW)[XATTR]
        image = f"image-{running}".lower()
        daemon.api("POST", f"/commit?container=box&repo={image}", {})
        assert layers(daemon, image)[-1]["tmp/busybox"][5] == capability(NET_RAW)[XATTR]
        body = {"Image": image, "User": "1000", "Cmd": ["sh", "-c", shown]}
        identity = daemon.api("POST", "/containers/create", body)["Id"]
        daemon.api("POST", f"/containers/{identity}/start")
        daemon.api("POST", f"/containers/{identity}/wait")
        assert b"0000000000002000" in daemon.api.raw("GET", f"/containers/{identity}/logs?stdout=1&stderr=1")[2]
        if running:
            daemon.api("POST", "/containers/box/kill")
            daemon.api("POST", "/containers/box/wait")


def test_volumes_hold_the_containers_ids_whoever_mounts_them(daemon: Daemon) -> None:
    made = build(daemon, "FROM busybox\nRUN mkdir -p /data/sub && touch /data/sub/f && chown -R 33:34 /data && chmod 750 /data")
    assert not made.error
    show = "stat -c '%n %u:%g %a' /data /data/sub/f"
    kept = "/data 33:34 750\n/data/sub/f 33:34 644\n"
    write = f"{show}; touch /data/new; chown 1000:1001 /data/new"
    assert said(daemon, write, image=made.id, Binds=["named:/data"]) == kept
    assert said(daemon, f"{show} /data/new", image=made.id, Binds=["named:/data"]) == kept + "/data/new 1000:1001 644\n"
    # A container of the host's namespace beside it, and one with an anonymous volume.
    beside = said(daemon, f"{show} /data/new; cat /proc/self/uid_map", image=made.id, Binds=["named:/data"], UsernsMode="host")
    assert beside.startswith(kept + "/data/new 1000:1001 644\n") and beside.split()[-3:] == ["0", "0", "4294967295"]
    anonymous = {"Type": "volume", "Target": "/fresh"}
    assert said(daemon, "stat -c %u:%g /fresh; touch /fresh/x && stat -c %u:%g /fresh/x", Mounts=[anonymous]) == "0:0\n0:0\n"
    # Copies reach it, while nobody runs and while somebody does.
    daemon.api(
        "POST", "/containers/create?name=box", {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Binds": ["named:/data"]}}
    )
    for name in ("stopped", "running"):
        put(daemon, "box", "/data", packed(member(name, b"x", owner=(5, 6))))
        found = owners(got(daemon, "box", "/data"))
        assert found["data/" + name] == (5, 6) and found["data/new"] == (1000, 1001) and found["data"] == (33, 34)
        daemon.api("POST", "/containers/box/start")
    assert executed(daemon, "box", "stat", "-c", "%u:%g", "/data/stopped", "/data/running")[1] == "5:6\n5:6\n"


def test_a_bind_mount_shows_the_hosts_files_to_copies_as_to_the_program(daemon: Daemon, tmp_path: Path) -> None:
    source = tmp_path / "bound"
    source.mkdir()
    for name, uid in (("theirs", UIDS + 5), ("hosts", 0)):
        (source / name).write_text(name)
        os.chown(source / name, uid, GIDS + 6 if uid else 0)
    (source / "hosts").chmod(0o600)
    source.chmod(0o777)
    start(daemon, "box", "sleep 600", Binds=[f"{source}:/bound"])
    assert executed(daemon, "box", "stat", "-c", "%u", "/bound/theirs", "/bound/hosts")[1].split() == ["5", "65534"]
    assert executed(daemon, "box", "cat", "/bound/hosts")[0] != 0
    for running in (True, False):
        found = owners(got(daemon, "box", "/bound"))
        assert found["bound/theirs"] == (5, 6) and found["bound/hosts"] == (65534, 65534)
        put(daemon, "box", "/bound", packed(member(f"in-{running}", owner=(7, 8))))
        made = (source / f"in-{running}").stat()
        assert (made.st_uid, made.st_gid) == (UIDS + 7, GIDS + 8)
        if running:
            daemon.api("POST", "/containers/box/kill")
            daemon.api("POST", "/containers/box/wait")


DOCKERFILE = """FROM busybox
RUN echo ann:x:1000:1000::/:/bin/sh >>/etc/passwd && echo ann:x:1000: >>/etc/group
RUN mkdir /app && chown ann:ann /app && touch /app/set && chown 5:6 /app/set && chmod 4755 /app/set
COPY --chown=ann two /app/two
ADD --chown=33:34 two /app/added
COPY two /app/root
USER ann
RUN --mount=type=cache,target=/cache,uid=1000 --mount=type=bind,source=two,target=/two \
    touch /cache/mine && cat /two >/app/read && stat -c %u:%g /cache/mine /two >>/app/read
USER root
RUN rm /app/root && ln /app/two /app/hard && echo >>/etc/hosts
"""


def test_a_build_makes_the_same_layers_as_without_the_mapping(daemon: Daemon, daemons: Callable[..., Daemon]) -> None:
    plain = daemons()
    found = []
    for one in (daemon, plain):
        made = build(one, DOCKERFILE, {"two": "copied\n"})
        assert not made.error, made.error
        assert said(one, "stat -c '%u %g' /app/set /app/two; cat /app/read", image=made.id) == "5 6\n1000 1000\ncopied\n1000:1000\n0:0\n"
        found.append(layers(one, made.id.removeprefix("sha256:")))
    assert found[0] == found[1]
    assert any(entry[1] == 1000 for layer in found[0] for entry in layer.values())


def test_images_go_to_a_daemon_without_the_mapping_and_come_back(daemon: Daemon, daemons: Callable[..., Daemon]) -> None:
    plain = daemons(busybox_image=False)
    start(daemon, "box", WRITE)
    daemon.api("POST", "/containers/box/wait")
    daemon.api("POST", "/commit?container=box&repo=mine", {})
    there = daemon.api.raw("GET", "/images/mine/get", timeout=120)[2]
    plain.api.raw("POST", "/images/load", there, {"Content-Type": "application/x-tar"}, timeout=120)
    text = "/w 7 8 755\n/w/root 0 0 644\n/w/set 5 6 6755\n/w/user 1000 1001 644\n"
    assert said(plain, "stat -c '%n %u %g %a' /w /w/*", image="mine") == text
    again = plain.api.raw("GET", "/images/mine/get", timeout=120)[2]
    assert layers(plain, "mine") == layers(daemon, "mine")
    daemon.api("DELETE", "/containers/box")
    daemon.api("DELETE", "/images/mine")
    daemon.api.raw("POST", "/images/load", again, {"Content-Type": "application/x-tar"}, timeout=120)
    assert said(daemon, "stat -c '%n %u %g %a' /w /w/*", image="mine") == text


def test_one_data_root_serves_with_and_without_the_mapping(daemon: Daemon) -> None:
    start(daemon, "box", f"{WRITE}; echo once >>/w/times; sleep 600", Binds=["kept:/kept"])
    assert executed(daemon, "box", "sh", "-c", "until [ -e /w/times ]; do sleep 0.1; done; touch /kept/f && chown 5:6 /kept/f")[0] == 0
    daemon.kill()
    daemon.start()
    assert owners(got(daemon, "box", "/w/user"))["user"] == (1000, 1001)
    daemon.api("POST", "/containers/box/kill")
    daemon.api("POST", "/containers/box/wait")
    daemon.stop()
    daemon.extra = [word for word in daemon.extra if word not in REMAP]
    daemon.start()
    daemon.api("POST", "/containers/box/start")
    show = ("box", "stat", "-c", "%n %u %g %a", "/w", "/w/root", "/w/set", "/w/user", "/kept/f")
    told = "/w 7 8 755\n/w/root 0 0 644\n/w/set 5 6 6755\n/w/user 1000 1001 644\n/kept/f 5 6 644\n"
    assert executed(daemon, *show)[1] == told
    assert on_host(daemon, "box", "/w/user") == (1000, 1001)
    daemon.api("POST", "/containers/box/kill")
    daemon.api("POST", "/containers/box/wait")
    daemon.stop()
    daemon.extra = [*daemon.extra, *REMAP]
    daemon.start()
    daemon.api("POST", "/containers/box/start")
    assert executed(daemon, *show)[1] == told


def test_the_hosts_namespace_can_be_had_container_by_container(daemon: Daemon) -> None:
    start(daemon, "free", f"{WRITE}; touch /ready; sleep 600", UsernsMode="host")
    assert executed(daemon, "free", "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done; cat /proc/self/uid_map")[1].split()[1] == "0"
    assert on_host(daemon, "free", "/w/user") == (1000, 1001)
    assert owners(got(daemon, "free", "/w/user"))["user"] == (1000, 1001)
    put(daemon, "free", "/tmp", packed(member("far", owner=(70_000, 0))))
    status, _, data = daemon.api.raw("POST", "/containers/create", {"Image": "busybox", "HostConfig": {"Privileged": True}})
    assert status == 400 and b"privileged mode is incompatible with user namespaces" in data
    assert said(daemon, "id -u", Privileged=True, UsernsMode="host") == "0\n"
    assert "name=userns" in daemon.api("GET", "/info")["SecurityOptions"]


def test_what_the_daemon_puts_into_a_container_belongs_to_its_root(daemon: Daemon) -> None:
    start(daemon, "box", "sleep 600")
    paths = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm", "/"]
    assert executed(daemon, "box", "stat", "-c", "%u:%g", *paths)[1].split() == ["0:0"] * len(paths)
    assert executed(daemon, "box", "sh", "-c", "echo 10.0.0.1 mine >>/etc/hosts && grep -c mine /etc/hosts")[1] == "1\n"
    assert said(daemon, "hostname; grep -c mine /etc/hosts; id -u", NetworkMode="container:box").split()[1:] == ["1", "0"]


def test_namespaces_of_another_container_are_joined_with_the_user_namespace_that_they_belong_to(daemon: Daemon) -> None:
    start(daemon, "box", "echo shared >/dev/shm/f; sleep 600")
    for modes in ({"NetworkMode": "container:box"}, {"PidMode": "container:box"}, {"IpcMode": "container:box"}):
        assert said(daemon, "id -u; cat /proc/self/uid_map", **modes).split() == ["0", "0", str(UIDS), "65536"]
    assert said(daemon, "cat /dev/shm/f; touch /dev/shm/g && stat -c %u /dev/shm/g", IpcMode="container:box") == "shared\n0\n"
    assert "sleep 600" in said(daemon, "ps", PidMode="container:box")
    made = build(daemon, "FROM busybox\nRUN hostname && id -u", networkmode="container:box")
    assert not made.error, made.error
    start(daemon, "free", "sleep 600", UsernsMode="host")
    body = {"Image": "busybox", "HostConfig": {"NetworkMode": "container:free"}}
    refused = daemon.api("POST", "/containers/create", body)["Id"]
    status, _, data = daemon.api.raw("POST", f"/containers/{refused}/start")
    assert status == 409 and b"use --userns=host for both or for none" in data
    assert said(daemon, "id -u", NetworkMode="container:box", UsernsMode="host") == "0\n"


def test_another_runtime_gets_everything_mapped(daemon: Daemon) -> None:
    if "runc" not in daemon.api("GET", "/info")["Runtimes"]:
        pytest.skip("needs runc")
    files = "/bin/busybox /w/user /vol /vol/f /etc/hosts"
    script = f"{WRITE}; touch /vol/f; chown 5:6 /vol/f; stat -c '%n %u:%g' {files}; cat /proc/self/uid_map"
    text = said(daemon, script, Runtime="runc", Binds=["kept:/vol"])
    assert text.split() == [
        "/bin/busybox", "0:0", "/w/user", "1000:1001", "/vol", "0:0", "/vol/f", "5:6", "/etc/hosts", "0:0", "0", str(UIDS), "65536",
    ]  # fmt: skip
    assert said(daemon, "stat -c %u:%g /vol/f", Binds=["kept:/vol"]) == "5:6\n"


def test_a_volume_with_a_device_keeps_the_hosts_ids_and_is_filled_with_them(daemon: Daemon, tmp_path: Path) -> None:
    made = build(daemon, "FROM busybox\nRUN mkdir -p /data && touch /data/f && chown -R 33:34 /data")
    device = tmp_path / "device"
    device.mkdir()
    daemon.api("POST", "/volumes/create", {"Name": "own", "DriverOpts": {"type": "none", "o": "bind", "device": str(device)}})
    start(daemon, "box", "sleep 600", image=made.id, Binds=["own:/data"])
    assert executed(daemon, "box", "stat", "-c", "%u:%g", "/data", "/data/f")[1] == "33:34\n33:34\n"
    assert {(found.st_uid, found.st_gid) for found in (device.stat(), (device / "f").stat())} == {(UIDS + 33, GIDS + 34)}


@pytest.mark.parametrize(
    ("arguments", "etc", "words"),
    [
        (["--userns-remap", "nobody"], {"subuid": "", "subgid": ""}, "in /etc/subuid: add the line nobody:100000:65536 to it"),
        (
            ["--userns-remap", "nobody:nogroup"],
            {"subuid": "nobody:100000:65536\n", "subgid": "ann:100000:65536\n"},
            'no subgid ranges found for group "nogroup" in /etc/subgid: add the line nogroup:165536:65536 to it',
        ),
        (["--userns-remap", "nosuch"], {}, 'error during "nosuch" user lookup: there is no such user; create it, with ranges in'),
        (
            ["--userns-remap", "nobody:nogroup"],
            {"subuid": "nobody:100000:65536\nnobody:100000:65536\n", "subgid": "nogroup:100000:65536\n"},
            "(ranges must not overlap,",
        ),
        ([*REMAP, "--storage-driver", "fuse-overlayfs"], ETC, "the storage driver fuse-overlayfs cannot map ids: use overlay2"),
    ],
)
def test_a_mapping_that_cannot_be_stops_the_start_with_the_remedy(
    leak_check: LeakCheck, daemons: Callable[..., Daemon], arguments: list[str], etc: dict[str, str], words: str
) -> None:
    if "fuse-overlayfs" in arguments and not shutil.which("fuse-overlayfs"):
        pytest.skip("needs fuse-overlayfs")
    made = daemons(start=False, arguments=arguments, etc=etc)
    with pytest.raises(AssertionError, match=re.escape(words)):
        made.start()


def test_the_default_user_is_made_with_ranges_that_are_nobodys(leak_check: LeakCheck, daemons: Callable[..., Daemon]) -> None:
    if not shutil.which("useradd"):
        pytest.skip("needs useradd")
    taken = {"subuid": "ann:100000:65536\n", "subgid": "ann:100000:65536\n"}
    made = daemons(arguments=["--userns-remap", "default"], etc=taken)
    for _ in range(2):
        assert said(made, "cat /proc/self/uid_map /proc/self/gid_map").split() == ["0", "165536", "65536"] * 2
        made.stop()
        made.start()  # found again, not made once more
    assert (made.folder / "etc/subuid").read_text().count("argosy") == 1
    assert "argosy:x:" in (made.folder / "etc/passwd").read_text()
