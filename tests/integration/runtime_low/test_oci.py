"""``argosy-runtime`` by itself."""

import array
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Runtime = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def runtime(low: Any, executable: Path, tmp_path: Path) -> Iterator[Runtime]:
    root = tmp_path / "state"

    def run(*words: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: what is left running holds them open.
        with (tmp_path / "out").open("w+") as out, (tmp_path / "err").open("w+") as err:
            done = subprocess.run(
                [str(executable), "--root", str(root), *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=30, **options
            )
            out.seek(0)
            err.seek(0)
            result = subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
        assert not check or result.returncode == 0, result.stderr
        return result

    yield run
    for entry in json.loads(run("list", "-f", "json").stdout):
        run("delete", "--force", entry["id"])


@pytest.fixture
def bundle(low: Any, tmp_path: Path) -> Callable[..., str]:
    def make(*args: str, **changes: Any) -> str:
        path = tmp_path / "bundle"
        path.mkdir(exist_ok=True)
        spec = low.spec(*args, **changes)
        spec["root"] = {"path": str(low.root)}
        spec["process"]["user"] = {"uid": 0, "gid": 0}
        (path / "config.json").write_text(json.dumps(spec))
        return str(path)

    return make


def test_run_gives_output_and_exit_code(runtime: Runtime, bundle: Callable[..., str]) -> None:
    done = runtime("run", "--bundle", bundle("sh", "-c", "echo hello; exit 7"), "a", check=False)
    assert (done.returncode, done.stdout) == (7, "hello\n")
    assert runtime("list", "-q").stdout == ""


def test_the_life_of_a_container(runtime: Runtime, bundle: Callable[..., str], tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    runtime("create", "--bundle", bundle("sleep", "100"), "--pid-file", str(pid_file), "a")
    state = json.loads(runtime("state", "a").stdout)
    assert (state["status"], state["pid"]) == ("created", int(pid_file.read_text()))
    # The caller, or whoever reaps for it, has become init's parent: nothing of the runtime stays.
    assert b"argosy-runtime" in Path(f"/proc/{state['pid']}/cmdline").read_bytes()
    runtime("start", "a")
    assert Path(f"/proc/{state['pid']}/cmdline").read_bytes() == b"sleep\x00100\x00"
    assert json.loads(runtime("ps", "--format", "json", "a").stdout) == [state["pid"]]
    runtime("pause", "a")
    assert json.loads(runtime("state", "a").stdout)["status"] == "paused"
    runtime("resume", "a")
    assert runtime("exec", "a", "sh", "-c", "exit 3", check=False).returncode == 3
    assert json.loads(runtime("events", "--stats", "a").stdout)["type"] == "stats"
    runtime("update", "--pids-limit", "17", "a")
    assert runtime("delete", "a", check=False).stderr == "cannot delete container a that is not stopped: running\n"
    runtime("kill", "a", "KILL")
    _until(lambda: json.loads(runtime("state", "a").stdout)["status"] == "stopped")
    assert runtime("kill", "a", "TERM", check=False).stderr == "container not running\n"
    runtime("delete", "a")
    assert runtime("state", "a", check=False).stderr == "container does not exist\n"
    runtime("delete", "--force", "a")


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline


def test_failures_go_to_the_log_and_leave_nothing(runtime: Runtime, bundle: Callable[..., str], tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    done = runtime("--log", str(log), "--log-format", "json", "create", "--bundle", bundle("nosuch"), "a", check=False)
    assert done.returncode == 1
    entry = json.loads(log.read_text())
    assert entry["level"] == "error"
    assert entry["msg"].endswith('unable to start container process: exec: "nosuch": executable file not found in $PATH')
    assert json.loads(runtime("list", "-f", "json").stdout) == []
    runtime("create", "--bundle", bundle("sleep", "1"), "a")
    assert "already exists" in runtime("create", "--bundle", bundle("sleep", "1"), "a", check=False).stderr


def test_the_terminal_goes_to_the_callers_socket(runtime: Runtime, bundle: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "console.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    spec = bundle("tty", process={"terminal": True})
    assert runtime("create", "--bundle", spec, "b", check=False).returncode == 1
    runtime("create", "--bundle", spec, "--console-socket", str(path), "a")
    connection, _ = server.accept()
    fds = array.array("i")
    _, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_LEN(4))
    fds.frombytes(ancillary[0][2][:4])
    runtime("start", "a")
    assert os.read(fds[0], 100) == b"/dev/pts/0\r\n"
    os.close(fds[0])
    connection.close()
    server.close()


def test_hooks_run_where_and_when_they_should(runtime: Runtime, bundle: Callable[..., str], tmp_path: Path, low: Any) -> None:
    notes = tmp_path / "notes"
    names = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    shell = "/bin/sh"

    def hook(name: str) -> dict[str, Any]:
        where = "/tmp/started" if name == "startContainer" else notes
        return {"path": shell, "args": ["sh", "-c", f"read -r x; echo {name} $(hostname) >> {where}"]}

    runtime("create", "--bundle", bundle("sleep", "100", hooks={name: [hook(name)] for name in names}), "a")
    assert [line.split()[0] for line in notes.read_text().splitlines()] == ["prestart", "createRuntime", "createContainer"]
    # The host's own files are still seen there, but the names are the container's.
    assert notes.read_text().splitlines()[2].split()[1] == "c1"
    runtime("start", "a")
    assert (low.root / "tmp/started").exists()
    runtime("delete", "--force", "a")
    assert [line.split()[0] for line in notes.read_text().splitlines()][3:] == ["poststart", "poststop"]


def test_a_failing_hook_undoes_the_create(runtime: Runtime, bundle: Callable[..., str]) -> None:
    done = runtime("create", "--bundle", bundle("true", hooks={"prestart": [{"path": "/bin/false"}]}), "a", check=False)
    assert "error running prestart hook #0" in done.stderr
    assert json.loads(runtime("list", "-f", "json").stdout) == []


def test_preserved_fds_reach_the_program_and_no_others(
    runtime: Runtime, bundle: Callable[..., str], tmp_path: Path, executable: Path
) -> None:
    spec = bundle("sh", "-c", "echo kept >&3; echo leaked >&4")
    kept, other = tmp_path / "kept", tmp_path / "other"
    words = f"exec {executable} --root {tmp_path}/state run --preserve-fds 1 --bundle {spec} a 3>{kept} 4>{other}"
    subprocess.run(["sh", "-c", words], timeout=30, stderr=subprocess.DEVNULL)
    assert kept.read_text() == "kept\n"
    assert other.read_text() == ""


def test_features_version_and_example(runtime: Runtime, tmp_path: Path) -> None:
    assert "v2" in json.loads(runtime("features").stdout)["linux"]["cgroup"]
    assert runtime("--version").stdout.startswith("argosy-runtime version")
    runtime("spec", "--bundle", str(tmp_path))
    assert json.loads((tmp_path / "config.json").read_text())["process"]["args"] == ["sh"]
    assert "exists. Remove it first" in runtime("spec", "--bundle", str(tmp_path), check=False).stderr
