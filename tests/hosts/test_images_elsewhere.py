"""Images travel: one that is built here runs under Docker and podman, one that Docker has built runs here."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hosts.machines import cgroup_mounts
from support.daemon import Daemon
from support.debian import docker_cli
from support.docker_cli import Docker, Engine
from support.images import busybox_tar
from support.leaks import LeakCheck

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
PEER = Path(__file__).resolve().parents[2] / "bench/peer"
DOCKERFILE = """\
FROM busybox AS made
RUN mkdir /made && echo secret > /made/gone && echo from-a-stage > /made/kept

FROM busybox
ENV GREETING="hello there" PATH=/bin:/usr/bin:/tools
LABEL org.example.kind=traveller
COPY --chmod=755 say /tools/say
COPY --from=made /made /data
RUN rm /data/gone && ln -s kept /data/link && ln /data/kept /data/hard && mkdir -m 1777 /data/open && chown 1000:1000 /data/hard
WORKDIR /work
USER 1000:1000
EXPOSE 8080/tcp
STOPSIGNAL SIGINT
ENTRYPOINT ["say"]
CMD ["a", "b c"]
"""
SAY = """\
#!/bin/sh
echo "$GREETING|$(pwd)|$(id -u):$(id -g)|$(cat /data/link)|$(stat -c %a:%u:%h /data/kept)|$(stat -c %a /data/open)"
echo $(ls -A /data)
for word in "$@"; do echo "<$word>"; done
"""
SAYS = "hello there|/work|1000:1000|from-a-stage|644:1000:2|1777\nhard kept link open\n<a>\n<b c>\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context whose image tells by its output whether all of it has arrived."""
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "say").write_text(SAY)
    return folder


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    """Docker's newest engine and its command line."""
    program = docker_cli()
    if not program:
        pytest.skip("needs the docker command line")
    name = f"travel{os.getpid()}"
    started = subprocess.run([str(PEER), "start", name], capture_output=True, text=True, timeout=300)
    if started.returncode:
        pytest.skip(f"no Docker to compare with: {started.stderr.strip()[-200:]}")
    try:
        words = json.loads(started.stdout)
        docker = Docker(program, Engine(f"unix://{words['sock']}", words["netns"]), tmp_path, name)
        docker.environ["DOCKER_BUILDKIT"] = "0"
        yield docker
    finally:
        subprocess.run([str(PEER), "stop", name], capture_output=True, timeout=120)


@pytest.fixture
def podman() -> Iterator[Callable[..., str]]:
    """podman with a store of its own."""
    runc = shutil.which("runc")
    if not (runc and shutil.which("podman") and shutil.which("conmon")):
        pytest.skip("needs podman, conmon and runc")
    # podman takes no run folder whose path is longer than 50 characters.
    with tempfile.TemporaryDirectory(prefix="podman-", dir="/var/tmp") as folder:
        base = ["podman", "--root", f"{folder}/store", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp", "--storage-driver", "vfs"]
        # crun, podman's own choice, knows no machine with cgroups of both versions.
        base += ["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", runc]

        def run(*words: str) -> str:
            done = subprocess.run([*base, *words], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run
        run("rm", "-af")
        run("rmi", "-af")
        # podman keeps its storage mounted privately while it has any, and its cgroups for the next container.
        subprocess.run(["umount", "-l", f"{folder}/store"], capture_output=True)
        for point, _, _ in cgroup_mounts():
            for name in ("conmon", "libpod_parent"):
                for directory, _, _ in os.walk(f"{point}/{name}", topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(directory)


def built_here(argosyd: Daemon, context: Path, tmp_path: Path) -> Path:
    done = argosyd.argosy("build", "-q", "-t", "travel/here:1", str(context))
    assert done.returncode == 0, done.stderr
    archive = tmp_path / "here.tar"
    assert argosyd.argosy("save", "-o", str(archive), "travel/here:1").returncode == 0
    return archive


def test_docker_runs_an_image_that_is_built_here(
    leak_check: LeakCheck, argosyd: Daemon, docker: Docker, context: Path, tmp_path: Path
) -> None:
    archive = built_here(argosyd, context, tmp_path)
    assert "travel/here:1" in docker.do("load", "-i", str(archive)).stdout
    assert docker.do("run", "--rm", "--network", "none", "travel/here:1").stdout == SAYS
    theirs = json.loads(docker.do("image", "inspect", "travel/here:1").stdout)[0]
    ours = json.loads(argosyd.argosy("image", "inspect", "travel/here:1").stdout)[0]
    assert theirs["RootFS"] == ours["RootFS"]
    for field in ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Labels", "ExposedPorts", "StopSignal"):
        assert theirs["Config"].get(field) == ours["Config"].get(field), field
    told = docker.do("history", "--no-trunc", "--format", "{{.CreatedBy}}", "travel/here:1").stdout
    assert 'ENTRYPOINT ["say"]' in told and "say /tools/say # buildkit" in told


def test_podman_runs_an_image_that_is_built_here(
    leak_check: LeakCheck, argosyd: Daemon, podman: Callable[..., str], context: Path, tmp_path: Path
) -> None:
    archive = built_here(argosyd, context, tmp_path)
    assert "travel/here:1" in podman("load", "-q", "-i", str(archive))
    # podman's own limits are above those of a machine whose root may not raise them.
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
    assert podman("run", "--rm", "--network", "none", *limits, "docker.io/travel/here:1") == SAYS


def test_what_docker_has_built_runs_here(leak_check: LeakCheck, argosyd: Daemon, docker: Docker, context: Path, tmp_path: Path) -> None:
    base = tmp_path / "busybox.tar"
    base.write_bytes(busybox_tar())
    docker.do("import", "-c", 'CMD ["sh"]', "-c", "ENV PATH=/bin:/usr/bin", str(base), "busybox:latest")
    # Docker's classic builder knows no --chmod.
    (context / "Dockerfile").write_text(re.sub(r"--chmod=755 ", "", DOCKERFILE))
    (context / "say").chmod(0o755)
    docker.do("build", "--network", "none", "-t", "travel/there:1", str(context), timeout=300)
    assert docker.do("run", "--rm", "--network", "none", "travel/there:1").stdout == SAYS
    archive = tmp_path / "there.tar"
    docker.do("save", "-o", str(archive), "travel/there:1")
    assert argosyd.argosy("load", "-q", "-i", str(archive)).returncode == 0
    done = argosyd.argosy("run", "--rm", "travel/there:1")
    assert (done.returncode, done.stdout) == (0, SAYS), done.stderr
    theirs = json.loads(docker.do("image", "inspect", "travel/there:1").stdout)[0]
    ours = json.loads(argosyd.argosy("image", "inspect", "travel/there:1").stdout)[0]
    assert (ours["Id"], ours["RootFS"]["Layers"]) == (theirs["Id"], theirs["RootFS"]["Layers"])
    # And is a base for what is built here.
    again = argosyd.argosy(
        "build", "-q", "-t", "on-top", "-", input="FROM travel/there:1\nUSER 0\nRUN echo more > /data/more\n", stdin=None
    )
    assert again.returncode == 0, again.stderr
    assert "hard kept link more open" in argosyd.argosy("run", "--rm", "on-top").stdout
