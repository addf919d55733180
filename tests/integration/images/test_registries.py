"""The daemon and real others: Debian's docker-registry, skopeo, docker's command line; and the daemon's death in the middle of it."""

import json
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.registry import Registry, digest_of, layer
from support.daemon import Daemon
from support.leaks import LeakCheck
from support.registry_peer import docker_registry, served

pytestmark = pytest.mark.root


@pytest.fixture
def hub(leak_check: LeakCheck, argosyd: Daemon, tmp_path: Path) -> Iterator[str]:
    """A docker-registry beside the test's daemon."""
    with docker_registry(argosyd, tmp_path / "registry") as host:
        yield host


def messages(daemon: Daemon, route: str) -> list[dict[str, Any]]:
    status, _, data = daemon.api.raw("POST", route)
    assert status == 200, data
    return [json.loads(line) for line in data.splitlines()]


def pull(daemon: Daemon, name: str, tag: str, **options: str) -> list[dict[str, Any]]:
    return messages(daemon, "/images/create?" + urllib.parse.urlencode({"fromImage": name, "tag": tag, **options}))


def push(daemon: Daemon, name: str, tag: str) -> list[dict[str, Any]]:
    return messages(daemon, f"/images/{name}/push?tag={tag}")


def skopeo(daemon: Daemon, *words: str) -> str:
    program = shutil.which("skopeo")
    assert program, "skopeo is not installed"
    done = daemon.run_inside([program, "--insecure-policy", *words], check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_pushed_is_what_is_pulled(hub: str, argosyd: Daemon) -> None:
    name = f"{hub}/team/busybox"
    argosyd.api("POST", f"/images/busybox/tag?repo={name}&tag=1")
    first = push(argosyd, name, "1")
    assert first[-1]["aux"]["Tag"] == "1", first
    argosyd.api("DELETE", f"/images/{name}:1")
    argosyd.api("DELETE", "/images/busybox")
    come = pull(argosyd, name, "1")
    assert come[-1]["status"] == f"Status: Downloaded newer image for {name}:1"
    assert come[-2]["status"] == f"Digest: {first[-1]['aux']['Digest']}"
    done = argosyd.argosy("run", "--rm", "--network", "none", f"{name}:1", "echo", "hello")
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    again = push(argosyd, name, "1")
    assert again[-1] == first[-1]
    assert "Layer already exists" in [message.get("status") for message in again]


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_skopeo_finds_in_the_registry_what_it_put_there(hub: str, argosyd: Daemon, tmp_path: Path, form: str) -> None:
    argosyd.api("POST", f"/images/busybox/tag?repo={hub}/a&tag=1")
    push(argosyd, f"{hub}/a", "1")
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    skopeo(argosyd, "copy", *plain, "--format", form, f"docker://{hub}/a:1", f"docker://{hub}/b:1")
    before = skopeo(argosyd, "inspect", "--raw", "--tls-verify=false", f"docker://{hub}/b:1")
    pull(argosyd, f"{hub}/b", "1")
    argosyd.api("POST", f"/images/{hub}/b:1/tag?repo={hub}/c&tag=1")
    push(argosyd, f"{hub}/c", "1")
    assert form == "v2s2" or skopeo(argosyd, "inspect", "--raw", "--tls-verify=false", f"docker://{hub}/c:1") == before
    skopeo(argosyd, "copy", "--src-tls-verify=false", f"docker://{hub}/c:1", f"oci:{tmp_path}/out:1")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert (tmp_path / "out" / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).exists()


def test_an_image_that_skopeo_put_there_is_pushed_on_byte_for_byte(hub: str, argosyd: Daemon) -> None:
    argosyd.api("POST", f"/images/busybox/tag?repo={hub}/a&tag=1")
    push(argosyd, f"{hub}/a", "1")
    skopeo(
        argosyd,
        "copy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        "--format",
        "v2s2",
        f"docker://{hub}/a:1",
        f"docker://{hub}/b:1",
    )
    argosyd.api("DELETE", f"/images/{hub}/a:1")
    argosyd.api("DELETE", "/images/busybox")
    pull(argosyd, f"{hub}/b", "1")
    argosyd.api("POST", f"/images/{hub}/b:1/tag?repo={hub}/c&tag=1")
    push(argosyd, f"{hub}/c", "1")
    raw = [skopeo(argosyd, "inspect", "--raw", "--tls-verify=false", f"docker://{hub}/{name}:1") for name in "bc"]
    assert raw[0] == raw[1]


def test_an_index_goes_out_whole_or_in_part_and_comes_back(hub: str, argosyd: Daemon, tmp_path: Path) -> None:
    made = Registry()
    platforms = {"amd64": made.add_image("m", "", [layer("amd")]), "arm64": made.add_image("m", "", [layer("arm")], architecture="arm64")}
    entries = [made.described("m", digest, platform={"architecture": name, "os": "linux"}) for name, digest in platforms.items()]
    index = made.add_index("m", "1", *entries, made.add_proof("m", platforms["amd64"]))
    archive = tmp_path / "layout.tar"
    archive.write_bytes(made.layout("m", "1", f"{hub}/m:1"))
    assert argosyd.argosy("load", "-i", str(archive)).stdout == f"Loaded image: {hub}/m:1\n"
    pushed = argosyd.argosy("push", f"{hub}/m:1")
    assert f"1: digest: {index} size:" in pushed.stdout, pushed.stderr
    assert json.loads(skopeo(argosyd, "inspect", "--raw", "--tls-verify=false", f"docker://{hub}/m:1"))["manifests"][1] == entries[1]
    # skopeo finds all of it there, attestation included.
    skopeo(argosyd, "copy", "--all", "--src-tls-verify=false", f"docker://{hub}/m:1", f"oci:{tmp_path}/copied")
    argosyd.api("DELETE", f"/images/{hub}/m:1")
    come = pull(argosyd, f"{hub}/m", "1", platform="linux/arm64")
    assert come[-1]["status"] == f"Status: Downloaded newer image for {hub}/m:1"
    argosyd.argosy("tag", f"{hub}/m:1", f"{hub}/part:1")
    pushed = argosyd.argosy("push", f"{hub}/part:1")
    assert "only the available single-platform image was pushed" in pushed.stderr
    assert f"{index} -> {platforms['arm64']}" in pushed.stderr
    argosyd.argosy("pull", f"{hub}/m:1")
    listed = argosyd.api("GET", f"/images/{hub}/m:1/json?manifests=1")["Manifests"]
    assert [manifest["Available"] for manifest in listed] == [True, True, False]


def test_dockers_command_line_pulls_and_pushes(hub: str, argosyd: Daemon, tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no docker command line")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DOCKER_HOST": argosyd.host, "DOCKER_API_VERSION": "1.51"}
        return argosyd.run_inside([docker, *words], check=False, env=environ)

    assert run("tag", "busybox", f"{hub}/x:1").returncode == 0
    done = run("push", f"{hub}/x:1")
    assert done.returncode == 0 and "1: digest: sha256:" in done.stdout, done.stderr
    assert run("rmi", f"{hub}/x:1", "busybox").returncode == 0
    done = run("run", "--rm", "--network", "none", f"{hub}/x:1", "echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    assert f"Status: Downloaded newer image for {hub}/x:1" in done.stderr
    done = run("pull", f"{hub}/x:no")
    assert done.returncode == 1
    assert f"manifest for {hub}/x:no not found: manifest unknown: manifest unknown" in done.stderr
    assert run("push", "-a", f"{hub}/x").returncode == 0


def test_our_command_line(hub: str, argosyd: Daemon) -> None:
    assert argosyd.argosy("tag", "busybox", f"{hub}/x").returncode == 0
    done = argosyd.argosy("push", f"{hub}/x")
    assert done.returncode == 0 and "latest: digest: sha256:" in done.stdout, done.stderr
    assert argosyd.argosy("rmi", f"{hub}/x", "busybox").returncode == 0
    done = argosyd.argosy("run", "--rm", "--network", "none", f"{hub}/x", "echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    assert f"Unable to find image '{hub}/x:latest' locally" in done.stderr
    done = argosyd.argosy("pull", f"{hub}/x")
    assert done.stdout.splitlines()[0] == "Using default tag: latest"
    assert done.stdout.splitlines()[-1] == f"{hub}/x:latest"
    done = argosyd.argosy("pull", "-a", f"{hub}/x")
    assert done.returncode == 0, done.stderr
    done = argosyd.argosy("pull", f"{hub}/nope")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"Error response from daemon: manifest for {hub}/nope:latest not found: manifest unknown: manifest unknown",
    )


def test_a_login_is_tried_kept_used_and_forgotten(leak_check: LeakCheck, argosyd: Daemon, tmp_path: Path) -> None:
    registry = Registry()
    registry.users = {"u": "p"}
    registry.add_image("a", "1", [layer("x")])
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ARGOSY_CONFIG": str(tmp_path / "config")}

    def argosy(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return argosyd.argosy(*words, input=said, stdin=None, env=environ)

    with served(argosyd, registry, tmp_path) as remote:
        done = argosy("pull", f"{remote.host}/a:1")
        assert done.returncode == 1 and "no basic auth credentials" in done.stderr
        done = argosy("login", "-u", "u", "--password-stdin", remote.host, said="wrong")
        assert done.returncode == 1
        assert "failed with status: 401 Unauthorized" in done.stderr, done.stderr
        done = argosy("login", "-u", "u", "--password-stdin", remote.host, said="p")
        assert (done.returncode, done.stdout) == (0, "Login Succeeded\n"), done.stderr
        assert argosy("pull", f"{remote.host}/a:1").returncode == 0
        assert argosy("push", f"{remote.host}/a:1").returncode == 0
        assert argosy("logout", remote.host).stdout == f"Removing login credentials for {remote.host}\n"
        assert argosy("pull", f"{remote.host}/a:1").returncode == 1
    assert "p\n" not in argosyd.log.read_text()


def test_an_unreachable_hub_fails_in_seconds_and_says_why(argosyd: Daemon) -> None:
    begun = time.monotonic()
    done = argosyd.argosy("run", "--rm", "nginx")
    assert time.monotonic() - begun < 15
    assert done.returncode == 125
    assert 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io' in done.stderr


# ------------------------------------------------------------ death


def big(registry: Registry) -> list[str]:
    """Put an image of three layers there, of 2, 8 and 1 MB; return the digests of its blobs."""
    layers = [layer("a", 2_000_000), layer("b", 8_000_000), layer("c", 1_000_000)]
    registry.add_image("big", "1", layers)
    return [digest_of(blob) for _, blob, _ in layers]


def test_after_a_kill_a_pull_goes_on_from_the_bytes_that_are_here(
    leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon, registry = daemons(busybox_image=False), Registry()
    digest = big(registry)[1]
    with served(daemon, registry, tmp_path, slow=0.02) as remote:
        asking = threading.Thread(target=_try_pull, args=(daemon, f"{remote.host}/big"))
        asking.start()
        part = daemon.data_root / "content/ingest" / digest.replace(":", "-")
        while not part.exists() or part.stat().st_size < 3_000_000:
            time.sleep(0.01)
        daemon.kill()
        asking.join()
        kept = part.stat().st_size
        remote.tell("slow 0")
        daemon.start()
        pull(daemon, f"{remote.host}/big", "1")
        told = remote.tell()
    assert told["begins"][digest] == [0, kept]
    # What the killed daemon had been sent and not written yet is all that came twice.
    assert told["served"][digest] < len(registry.blobs[digest]) + (3 << 20)
    assert not list((daemon.data_root / "content/ingest").iterdir())


def _try_pull(daemon: Daemon, name: str) -> None:
    try:
        daemon.api.raw("POST", f"/images/create?fromImage={name}&tag=1")
    except (OSError, ValueError):
        pass
    except Exception:  # http.client's, of an answer that broke off
        pass


@pytest.mark.parametrize(
    "point", ["distribution.blob:4", "storage.content.commit:2", "distribution.fetched", "distribution.commit", "images.add"]
)
def test_killed_anywhere_the_next_daemon_has_all_of_it_or_nothing(
    leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path, point: str
) -> None:
    daemon, registry = daemons(start=False), Registry()
    big(registry)
    daemon.environ["ARGOSY_FAILPOINTS"] = f"{point}=kill"
    daemon.start()
    with served(daemon, registry, tmp_path) as remote:
        _try_pull(daemon, f"{remote.host}/big")
        assert daemon.process is not None
        assert daemon.process.wait(20) == -signal.SIGKILL
        daemon.environ.clear()
        daemon.start()
        assert daemon.api("GET", "/images/json?all=1") == []
        assert not [path for path in daemon.data_root.glob("*/layers/*") if not path.name.endswith(".init")]
        assert not list((daemon.data_root / "content/blobs").glob("*/*"))
        pull(daemon, f"{remote.host}/big", "1")
    (image,) = daemon.api("GET", "/images/json")
    assert image["RepoTags"] == [f"{remote.host}/big:1"]


def test_who_goes_away_ends_the_pull(leak_check: LeakCheck, daemons: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon, registry = daemons(busybox_image=False), Registry()
    digest = big(registry)[1]
    with served(daemon, registry, tmp_path, slow=0.02) as remote:
        client = subprocess.Popen(
            [
                "curl",
                "-sN",
                "-XPOST",
                "--unix-socket",
                str(daemon.socket),
                f"http://d/v1.51/images/create?fromImage={remote.host}/big&tag=1",
            ],
            stdout=subprocess.DEVNULL,
        )
        while not remote.tell()["served"].get(digest):
            time.sleep(0.01)
        client.kill()
        client.wait()
        deadline = time.monotonic() + 20
        before = -1
        while (now := remote.tell()["served"][digest]) != before and time.monotonic() < deadline:
            before = now
            time.sleep(0.3)
        assert now < len(registry.blobs[digest])
        remote.tell("slow 0")
        pull(daemon, f"{remote.host}/big", "1")


# ------------------------------------------------------------ a full disk


@pytest.fixture
def small_disk(root: None, tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """A maker of file systems of 200 MB in a file, mounted where it is told."""
    mounted: list[Path] = []

    def mount(where: Path) -> None:
        where.mkdir(parents=True)
        image = tmp_path / "disk"
        with image.open("wb") as file:
            file.truncate(200 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(where)], check=True)
        mounted.append(where)

    yield mount
    for where in mounted:
        subprocess.run(["umount", str(where)], check=False)


def test_a_full_disk_ends_a_pull_with_its_reason_and_nothing_half_made(
    leak_check: LeakCheck, small_disk: Callable[[Path], None], daemons: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon, registry = daemons(start=False), Registry()
    small_disk(daemon.data_root)
    daemon.start()
    daemon.import_busybox()
    registry.add_image("huge", "1", [layer("a", 60_000_000), layer("b", 150_000_000)])
    registry.add_image("small", "1", [layer("c", 1_000_000)])
    used = shutil.disk_usage(daemon.data_root).used
    with served(daemon, registry, tmp_path) as remote:
        status, _, data = daemon.api.raw("POST", f"/images/create?fromImage={remote.host}/huge&tag=1")
        assert status == 200
        last = json.loads(data.splitlines()[-1])
        assert "no space left on device" in last["error"].lower(), last
        assert [image["RepoTags"] for image in daemon.api("GET", "/images/json?all=1")] == [["busybox:latest"]]
        # What the failed pull had made is freed in the background.
        deadline = time.monotonic() + 30
        while "error" in (last := pull(daemon, f"{remote.host}/small", "1")[-1]):
            assert "no space left on device" in last["error"], last
            assert time.monotonic() < deadline
            time.sleep(0.1)
        daemon.api("DELETE", f"/images/{remote.host}/small:1")
    deadline = time.monotonic() + 20
    while shutil.disk_usage(daemon.data_root).used > used + (10 << 20) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert shutil.disk_usage(daemon.data_root).used <= used + (10 << 20)
    daemon.destroy()
