"""``argosy-runtime`` under the engines it is made for: podman (conmon) and dockerd (containerd-shim).

dockerd and its companions are looked for on PATH, with the directory in ARGOSY_TEST_DOCKER_BIN first.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Engine = Callable[..., subprocess.CompletedProcess[str]]
DOCKER_PATH = os.pathsep.join(filter(None, (os.environ.get("ARGOSY_TEST_DOCKER_BIN"), os.environ.get("PATH"))))


def _tar(low: Any) -> Path:
    path = Path(low.scratch / "image.tar")
    subprocess.run(["tar", "-C", str(low.root), "-cf", str(path), "."], check=True)
    return path


@pytest.fixture
def podman(low: Any, executable: Path) -> Iterator[Engine]:
    if not (shutil.which("podman") and shutil.which("conmon")):
        pytest.skip("needs podman and conmon")
    home = Path(low.scratch / "p")  # podman takes no runroot of more than 50 characters
    base = ["podman", "--root", str(home / "root"), "--runroot", str(home / "run"), "--tmpdir", str(home / "tmp")]
    base += ["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", str(executable)]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*base, *words], capture_output=True, text=True, timeout=60)

    assert run("import", str(_tar(low)), "low:1").returncode == 0
    yield run
    run("rm", "--all", "--force", "--time", "0")
    run("rmi", "--all", "--force")
    # podman keeps its storage mounted privately while it has any.
    for point in (home / "root/overlay", home / "root"):
        subprocess.run(["umount", "-l", str(point)], capture_output=True)
    for point in {*low.host.cgroup_mounts.values(), low.host.unified} - {""}:
        for name in ("conmon", "libpod_parent"):
            for directory, _, _ in os.walk(f"{point}/{name}", topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass


@pytest.fixture
def dockerd(low: Any, executable: Path) -> Iterator[Engine]:
    for name in ("dockerd", "containerd", "containerd-shim-runc-v2", "docker"):
        if not shutil.which(name, path=DOCKER_PATH):
            pytest.skip(f"needs {name}")
    environment = {**os.environ, "PATH": DOCKER_PATH}
    home = Path(low.scratch / "dockerd")
    home.mkdir()
    host = f"unix://{home}/d.sock"
    words = ["dockerd", "--data-root", f"{home}/data", "--exec-root", f"{home}/exec", "-H", host, "--pidfile", f"{home}/pid"]
    words += ["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--add-runtime", f"argosy={executable}"]
    with (home / "log").open("w") as log:
        daemon = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", "-H", host, *args], capture_output=True, text=True, timeout=60, env=environment)

    def docker(verb: str, *args: str) -> subprocess.CompletedProcess[str]:
        return run(verb, *(("--network", "none", "--runtime", "argosy") if verb == "run" else ()), *args)

    try:
        deadline = time.monotonic() + 40
        while run("version").returncode:
            assert daemon.poll() is None and time.monotonic() < deadline, (home / "log").read_text()[-2000:]
            time.sleep(0.2)
        assert run("import", str(_tar(low)), "low:1").returncode == 0
        yield docker
        for container in run("ps", "-aq").stdout.split():
            run("rm", "-f", container)
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        for point in {*low.host.cgroup_mounts.values(), low.host.unified} - {""}:
            try:
                os.rmdir(f"{point}/docker")
            except OSError:
                pass


@pytest.fixture(params=["podman", "dockerd"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.getfixturevalue(request.param)
    if request.param == "podman":
        return lambda verb, *args: made(verb, *(("--network", "none") if verb == "run" else ()), *args)
    return made


def test_a_container_runs_with_limits_and_its_exit_code(engine: Engine) -> None:
    script = (
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; grep Seccomp: /proc/self/status; exit 3"
    )
    done = engine("run", "--rm", "--memory", "64m", "low:1", "sh", "-c", script)
    assert done.returncode == 3, done.stderr
    assert str(64 << 20) in done.stdout
    assert "Seccomp:\t2" in done.stdout


def test_what_cannot_be_run_has_dockers_codes(engine: Engine) -> None:
    for command, code, words in (("nosuch", 127, "executable file not found"), ("/etc/passwd", 126, "permission denied")):
        done = engine("run", "--rm", "low:1", command)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_exec_pause_and_kill(engine: Engine) -> None:
    assert engine("run", "-d", "--name", "aa", "low:1", "sleep", "1000").returncode == 0
    done = engine("exec", "aa", "sh", "-c", "echo inside; exit 4")
    assert (done.returncode, done.stdout) == (4, "inside\n"), done.stderr
    assert engine("pause", "aa").returncode == 0
    assert "aused" in engine("ps", "--all", "--format", "{{.Status}}").stdout
    assert engine("unpause", "aa").returncode == 0
    assert "sleep" in engine("top", "aa").stdout
    assert engine("kill", "aa").returncode == 0
    assert engine("wait", "aa").stdout.strip() == "137"
    assert engine("rm", "aa").returncode == 0


def test_users_and_directories(engine: Engine) -> None:
    done = engine("run", "--rm", "--user", "bob", "--workdir", "/tmp", "low:1", "sh", "-c", "id -un; pwd")
    assert done.stdout == "bob\n/tmp\n", done.stderr


def test_limits_change_while_it_runs(dockerd: Engine, low: Any) -> None:
    if "memory" not in low.host.cgroup_mounts:
        pytest.skip("memory is not on v1 here")
    identifier = dockerd("run", "-d", "--memory", "64m", "low:1", "sleep", "1000").stdout.strip()
    done = dockerd("update", "--memory", "128m", "--memory-swap", "256m", identifier)
    assert done.returncode == 0, done.stderr
    path = Path(low.host.cgroup_mounts["memory"], "docker", identifier, "memory.limit_in_bytes")
    assert path.read_text().strip() == str(128 << 20)


def test_an_oom_kill_is_seen_by_the_engine(dockerd: Engine) -> None:
    done = dockerd("run", "--name", "oom", "--memory", "20m", "low:1", "tail", "/dev/zero")
    assert done.returncode == 137
    assert dockerd("inspect", "oom", "--format", "{{.State.OOMKilled}}").stdout == "true\n"
