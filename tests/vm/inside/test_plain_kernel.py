"""Runs in the virtual machine, on Debian's kernel with cgroup v2 alone and AppArmor."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.images import add_file, busybox_tar

LAYERS = 40


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    made = Daemon(tmp_path_factory.mktemp("daemon"))
    try:
        made.start()
        made.import_busybox()
        yield made
    finally:
        made.destroy()


def run(daemon: Daemon, *words: str) -> str:
    done = daemon.argosy("run", "--rm", *words)
    assert done.returncode == 0, done.stdout + done.stderr + daemon.log_end(10)
    return done.stdout.strip()


def test_limits_are_in_the_unified_hierarchy(daemon: Daemon) -> None:
    assert run(daemon, "-m", "64m", "busybox", "cat", "/sys/fs/cgroup/memory.max") == str(64 << 20)
    assert run(daemon, "--pids-limit", "77", "busybox", "cat", "/sys/fs/cgroup/pids.max") == "77"
    assert run(daemon, "--cpus", "0.5", "busybox", "cat", "/sys/fs/cgroup/cpu.max") == "50000 100000"
    assert run(daemon, "--cpuset-cpus", "1", "busybox", "cat", "/sys/fs/cgroup/cpuset.cpus") == "1"
    assert json.loads(daemon.argosy("info", "--format", "json").stdout)["CgroupVersion"] == "2"


def test_a_container_has_a_cgroup_namespace_and_cannot_write_it(daemon: Daemon) -> None:
    assert run(daemon, "busybox", "cat", "/proc/self/cgroup") == "0::/"
    assert "Read-only" in daemon.argosy("run", "--rm", "busybox", "mkdir", "/sys/fs/cgroup/x").stderr


def test_device_rules_are_ebpf_there(daemon: Daemon) -> None:
    refused = daemon.argosy("run", "--rm", "busybox", "sh", "-c", "mknod /x b 254 0 && head -c 1 /x")
    assert "Operation not permitted" in refused.stderr
    assert run(daemon, "--device", "/dev/vda:/dev/x:r", "busybox", "sh", "-c", "head -c 1 /dev/x | wc -c") == "1"


def test_the_oom_killer_pause_stats_and_exec(daemon: Daemon) -> None:
    daemon.argosy("run", "--name", "hog", "-m", "16m", "--memory-swap", "16m", "busybox", "tail", "/dev/zero")
    assert daemon.api("GET", "/containers/hog/json")["State"]["OOMKilled"]
    assert daemon.argosy("run", "-d", "--init", "--name", "stays", "busybox", "sleep", "600").returncode == 0
    assert daemon.argosy("pause", "stays").returncode == 0
    assert daemon.api("GET", "/containers/stays/json")["State"]["Status"] == "paused"
    assert daemon.argosy("unpause", "stays").returncode == 0
    assert daemon.argosy("exec", "stays", "echo", "on").stdout == "on\n"
    assert daemon.api("GET", "/containers/stays/stats?stream=0")["memory_stats"]["usage"] > 0


def test_apparmor_confines(daemon: Daemon) -> None:
    label = run(daemon, "busybox", "cat", "/proc/self/attr/current")
    assert label.endswith("(enforce)")
    assert run(daemon, "--security-opt", "apparmor=unconfined", "busybox", "cat", "/proc/self/attr/current") == "unconfined"
    assert "apparmor" in json.dumps(daemon.api("GET", "/info")["SecurityOptions"])


def test_an_image_of_40_layers_runs(daemon: Daemon) -> None:
    """Mount options longer than a page, on a kernel without `lowerdir+` (6.7)."""
    import hashlib

    layers = [busybox_tar()]
    for number in range(1, LAYERS):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            add_file(tar, f"layer-{number}", str(number).encode())
        layers.append(stream.getvalue())
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]},
            "history": [{"created_by": f"layer {number}"} for number in range(LAYERS)],
        }
    ).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        add_file(tar, "config.json", config)
        for number, data in enumerate(layers):
            add_file(tar, f"{number}/layer.tar", data)
        names = [f"{number}/layer.tar" for number in range(LAYERS)]
        add_file(tar, "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": ["tall:latest"], "Layers": names}]).encode())
    status, _, body = daemon.api.raw("POST", "/images/load", archive.getvalue(), {"Content-Type": "application/x-tar"})
    assert status == 200 and b"errorDetail" not in body, body
    assert run(daemon, "tall", "sh", "-c", "cat /layer-* | wc -c; ls /layer-* | wc -l").split() == ["69", str(LAYERS - 1)]
    assert run(daemon, "tall", "sh", "-c", "echo new > /layer-7; cat /layer-7") == "new"


def test_nothing_is_left_in_the_hierarchy(daemon: Daemon) -> None:
    for view in daemon.api("GET", "/containers/json?all=1"):
        daemon.api("DELETE", f"/containers/{view['Id']}?force=1")
    left = [path for base in Path("/sys/fs/cgroup").glob("*argosy*") for path in base.rglob("*") if path.is_dir() and len(path.name) >= 64]
    assert left == []
