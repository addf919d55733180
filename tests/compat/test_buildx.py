"""docker buildx, Debian's newest, builds through BuildKit's protocol."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.debian import cli_plugin
from support.docker_cli import Docker
from support.remains import settled


@pytest.fixture(autouse=True)
def buildx(docker: Docker, tmp_path: Path) -> None:
    plugin = cli_plugin("buildx")
    if plugin is None:
        pytest.skip("needs the docker-buildx package of Debian sid")
    plugins = tmp_path / ".docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(plugin)


@pytest.fixture
def image(docker: Docker) -> Iterator[str]:
    name = docker.name("built")
    yield name
    docker.do("rmi", "-f", name)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A context."""
    found = tmp_path / "context"
    (found / "dir").mkdir(parents=True)
    (found / "a.txt").write_text("a\n")
    (found / "dir/b.txt").write_text("b\n")
    (found / "dir/run").write_text("#!/bin/sh\n")
    (found / "dir/run").chmod(0o755)
    (found / "link").symlink_to("a.txt")
    (found / "secret.log").write_text("no\n")
    (found / ".dockerignore").write_text("*.log\n")
    return found


def build(docker: Docker, place: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (place / "Dockerfile").write_text(text)
    return docker.do("buildx", "build", "--progress=plain", *words, str(place))


def test_a_build_with_its_files(docker: Docker, place: Path, image: str) -> None:
    text = (
        "FROM busybox AS one\nARG WHAT\nRUN echo $WHAT > /one; echo said $WHAT\nFROM busybox\nCOPY . /d/\nCOPY --from=one /one /one\n"
        'LABEL own=1\nCMD ["cat", "/one", "/d/link"]\n'
    )
    again = docker.name("again")
    done = build(docker, place, text, "--build-arg", "WHAT=that", "--label", "l=v", "-t", image, "-t", again)
    assert done.returncode == 0, done.stderr
    assert "[one 2/" in done.stderr and "said that" in done.stderr and f"naming to docker.io/library/{image}:latest" in done.stderr
    assert docker.run("run", "--rm", image) == "that\na"
    listed = docker.run("run", "--rm", image, "find", "/d", "-exec", "stat", "-c", "%n %a %u:%g", "{}", ";").splitlines()
    assert sorted(listed) == [
        "/d 755 0:0", "/d/.dockerignore 644 0:0", "/d/Dockerfile 644 0:0", "/d/a.txt 644 0:0", "/d/dir 755 0:0", "/d/dir/b.txt 644 0:0",
        "/d/dir/run 755 0:0", "/d/link 777 0:0",
    ]  # fmt: skip
    labels = json.loads(docker.run("image", "inspect", "-f", "{{json .Config.Labels}}", image))
    assert labels == {"own": "1", "l": "v"}
    assert docker.run("image", "inspect", "-f", "{{.Id}}", again) == docker.run("image", "inspect", "-f", "{{.Id}}", image)
    docker.run("rmi", again)
    cached = build(docker, place, text, "--build-arg", "WHAT=that", "--label", "l=v", "-t", image)
    assert cached.returncode == 0 and cached.stderr.count("CACHED") >= 3


def test_the_same_image_as_by_the_classic_door(docker: Docker, place: Path, image: str) -> None:
    text = "FROM busybox\nCOPY a.txt /\nRUN cat /a.txt > /b\n"
    assert build(docker, place, text, "-t", image, "--iidfile", str(place.parent / "iid")).returncode == 0
    docker.environ["DOCKER_BUILDKIT"] = "0"
    assert docker.run("build", "-q", str(place)) == (place.parent / "iid").read_text()


def test_secrets_are_the_clients(docker: Docker, place: Path, image: str) -> None:
    (place.parent / "key").write_text("s3cret")
    docker.environ["TOKEN"] = "t0ken"
    text = (
        "FROM busybox\nRUN --mount=type=secret,id=key test $(tr a-z b-za < /run/secrets/key) = t3dsfu\n"
        "RUN --mount=type=secret,id=token,env=T test ${#T} = 5\nRUN --mount=type=secret,id=none test ! -e /run/secrets/none\n"
    )
    done = build(docker, place, text, "--secret", f"id=key,src={place.parent}/key", "--secret", "id=token,env=TOKEN", "-t", image)
    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stderr + docker.run("history", "--no-trunc", image)


def test_the_clients_ssh_agent(docker: Docker, place: Path, image: str, tmp_path: Path) -> None:
    """An agent that says it holds no keys (draft-ietf-sshm-ssh-agent, 4.4): the question is asked inside, answered outside."""
    asked = []
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = agent.accept()
                with client:
                    while question := client.recv(5, socket.MSG_WAITALL):
                        asked.append(question)
                        client.sendall(b"\0\0\0\5\x0c\0\0\0\0")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    script = "until test -e /tmp/go; do sleep 0.05; done; test -S $SSH_AUTH_SOCK # 2000.25"
    (place / "Dockerfile").write_text(
        f'FROM busybox\nRUN mkdir -p /tmp\nRUN --mount=type=ssh {script}\nRUN --mount=type=ssh,id=other test -z "$SSH_AUTH_SOCK"\n'
    )
    words = [docker.program, "buildx", "build", "--progress=plain", "--ssh", f"default={tmp_path}/agent", "-t", image, str(place)]
    client = subprocess.Popen(words, env=docker.environ, stderr=subprocess.PIPE, text=True)
    try:
        assert settled(lambda: len(_programs(b"2000.25")), 1) == 1
        (pid,) = _programs(b"2000.25")
        with socket.socket(socket.AF_UNIX) as inside:
            inside.connect(f"/proc/{pid}/root/run/buildkit/ssh_agent.0")
            inside.sendall(b"\0\0\0\1\x0b")
            assert inside.recv(9, socket.MSG_WAITALL) == b"\0\0\0\5\x0c\0\0\0\0"
        Path(f"/proc/{pid}/root/tmp/go").touch()
        assert client.wait(60) == 0, client.stderr.read() if client.stderr else ""
    finally:
        client.kill()
        client.communicate()
        agent.shutdown(socket.SHUT_RDWR)
        agent.close()
        thread.join()
    assert asked == [b"\0\0\0\1\x0b"]
    required = build(docker, place, "FROM busybox\nRUN --mount=type=ssh,required=true true\n")
    assert required.returncode != 0 and "ssh agent default: not found" in required.stderr


def test_named_contexts_and_another_dockerfile(docker: Docker, place: Path, image: str) -> None:
    other = place.parent / "other"
    other.mkdir()
    (other / "x").write_text("of another\n")
    (other / "My.Dockerfile").write_text("FROM base\nCOPY --from=files x /x\nCOPY a.txt /\n")
    words = ["-f", str(other / "My.Dockerfile"), "--build-context", f"files={other}", "--build-context", "base=docker-image://busybox"]
    docker.run("buildx", "build", *words, "-t", image, str(place))
    assert docker.run("run", "--rm", image, "cat", "/x", "/a.txt") == "of another\na"


def test_what_fails_is_told(docker: Docker, place: Path) -> None:
    done = build(docker, place, "FROM busybox\nRUN echo last words; exit 3\n")
    assert done.returncode != 0 and "last words" in done.stderr
    assert 'process "/bin/sh -c echo last words; exit 3" did not complete successfully: exit code: 3' in done.stderr
    assert "InvalidArgument" not in done.stderr
    assert "unknown instruction: FRUM" in build(docker, place, "FRUM busybox\n").stderr
    assert "stat nope: file does not exist" in build(docker, place, "FROM busybox\nCOPY nope /\n").stderr
    (place / "Dockerfile").unlink()
    gone = docker.do("buildx", "build", str(place))
    assert gone.returncode != 0 and "open Dockerfile: no such file or directory" in gone.stderr
    several = build(docker, place, "FROM busybox\n", "--platform", "linux/amd64,linux/arm64")
    assert several.returncode != 0


def test_a_client_that_leaves_ends_its_build(docker: Docker, place: Path) -> None:
    (place / "Dockerfile").write_text("FROM busybox\nRUN echo begun; sleep 1000.25\n")
    words = [docker.program, "buildx", "build", "--progress=plain", str(place)]
    client = subprocess.Popen(words, env=docker.environ, stderr=subprocess.PIPE, text=True)
    assert client.stderr is not None
    for line in client.stderr:
        if "begun" in line and "echo" not in line:
            break
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert settled(lambda: _programs(b"sleep\x001000.25"), []) == []


def _programs(word: bytes) -> list[int]:
    """Return the processes in containers whose command line has the word."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            in_container = os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
            if in_container and word in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
        except OSError:
            continue
    return found


def test_bake(docker: Docker, place: Path) -> None:
    one, two = docker.name("one"), docker.name("two")
    (place / "Dockerfile").write_text("FROM busybox AS base\nRUN echo base > /f\nFROM base AS more\nRUN echo more >> /f\n")
    targets = {"one": {"target": "base", "tags": [one]}, "two": {"target": "more", "tags": [two], "args": {"X": "1"}}}
    (place / "bake.json").write_text(json.dumps({"group": {"default": {"targets": ["one", "two"]}}, "target": targets}))
    docker.run("buildx", "bake", "-f", "bake.json", cwd=place)
    assert docker.run("run", "--rm", one, "cat", "/f") == "base" and docker.run("run", "--rm", two, "cat", "/f") == "base\nmore"
    docker.run("rmi", one, two)


def test_outputs_that_the_client_gets(docker: Docker, place: Path) -> None:
    text = (
        "FROM busybox AS b\nRUN mkdir -p /o/d-e /o/d; echo x > /o/d/f; echo y > /o/d-e/g\n"
        "RUN ln -s d/f /o/l; chmod 4755 /o/d/f; ln /o/d/f /o/hard\nFROM scratch\nCOPY --from=b /o /\n"
    )
    out = place.parent / "out"
    done = build(docker, place, text, "--output", str(out))
    assert done.returncode == 0, done.stderr
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == ["d", "d-e", "d-e/g", "d/f", "hard", "l"]
    assert (out / "l").read_text() == "x\n" and (out / "d-e/g").read_text() == "y\n" and (out / "hard").read_text() == "x\n"
    assert (out / "d/f").stat().st_mode & 0o7777 == 0o4755
    assert build(docker, place, text, "--output", f"type=tar,dest={out}.tar").returncode == 0
    with tarfile.open(f"{out}.tar") as tar:
        assert {"d/f", "d-e/g", "l"} <= {name.strip("/") for name in tar.getnames()}


def test_many_files_and_a_large_one(docker: Docker, place: Path, image: str) -> None:
    for number in range(1500):
        (place / f"dir/{number}").write_text(f"{number}\n")
    with (place / "large").open("wb") as file:
        for block in range(24):
            file.write(bytes([block]) * (1 << 20))
    done = build(docker, place, "FROM busybox\nCOPY dir /dir\nCOPY large /\n", "-t", image)
    assert done.returncode == 0, done.stderr
    counted = docker.run("run", "--rm", image, "sh", "-c", "ls /dir | wc -l; cat /dir/1499; sha256sum < /large")
    digest = subprocess.run(["sha256sum"], stdin=(place / "large").open("rb"), capture_output=True, text=True).stdout
    assert counted.splitlines() == ["1502", "1499", digest.strip()]


def test_only_what_changed_is_sent_again(docker: Docker, place: Path, image: str) -> None:
    def sent() -> tuple[str, str]:
        done = build(docker, place, "FROM busybox\nCOPY . /c\n", "-t", image)
        assert done.returncode == 0, done.stderr
        listed = docker.run("run", "--rm", image, "sh", "-c", "cd /c; find . | sort | tr '\\n' ' '; cat a.txt dir/b.txt 2>/dev/null; true")
        return re.findall(r"transferring context: ([^ \n]*) ", done.stderr)[-1], listed

    (place / "large").write_bytes(os.urandom(3 << 20))
    assert sent()[0].startswith("3.")
    # The Dockerfile is written anew each time.
    again, listed = sent()
    assert again.endswith("B") and not again.endswith(("kB", "MB")) and "./large" in listed
    (place / "a.txt").write_text("another\n")
    (place / "dir/b.txt").unlink()
    (place / "link").unlink()
    (place / "link").mkdir()
    (place / "link/in").write_text("x")
    (place / "large").unlink()
    (place / "large").symlink_to("a.txt")
    again, listed = sent()
    assert not again.endswith("MB")
    assert listed == ". ./.dockerignore ./Dockerfile ./a.txt ./dir ./dir/run ./large ./link ./link/in another"


def test_labels_in_any_order_give_one_image(docker: Docker, place: Path, image: str) -> None:
    labels = [f"k{number}={number}" for number in range(9)]
    found = set()
    for words in (labels, labels[::-1], labels[4:] + labels[:4]):
        assert build(docker, place, "FROM busybox\nRUN true\n", "-t", image, *(f"--label={word}" for word in words)).returncode == 0
        found.add(docker.run("image", "inspect", "-f", "{{.Id}}", image))
    assert len(found) == 1


def test_a_builder_as_buildx_lists_it(docker: Docker) -> None:
    listed = docker.run("buildx", "inspect")
    assert "Status:" in listed and "running" in listed and "linux/amd64" in listed
