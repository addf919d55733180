"""``argosy image bootstrap`` on a real daemon, with a stand-in for debootstrap: however it ends, nothing is left but the image."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.images import busybox
from support.leaks import LeakCheck

pytestmark = pytest.mark.root
MAKES = """\
#!/bin/sh
# The words of debootstrap, and a root of one program.
while [ "${1#--}" != "$1" ]; do shift; done
echo "I: Retrieving InRelease "; echo "I: Retrieving base-files"; echo "W: odd but true"; echo "I: Configuring base-files"
mkdir -p "$2/bin" "$2/etc/apt" "$2/proc" "$2/var/log"
cp BUSYBOX "$2/bin/busybox"; ln -s busybox "$2/bin/sh"; ln -s busybox "$2/bin/cat"; mknod "$2/etc/null" c 1 3
mount -t proc proc "$2/proc"
hostname > "$2/etc/hostname"; echo "made from $3" > "$2/etc/made"; touch "$2/var/log/bootstrap.log"
THEN
"""


class Bench:
    """A place with a debootstrap of its own."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        self.daemon = daemon
        self.bin = folder / "bin"
        self.tmp = folder / "tmp"
        for place in (self.bin, self.tmp):
            place.mkdir()
        self.environ = os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "TMPDIR": str(self.tmp)}

    def debootstrap(self, then: str = "") -> None:
        (self.bin / "debootstrap").write_text(MAKES.replace("BUSYBOX", str(busybox())).replace("THEN", then))
        (self.bin / "debootstrap").chmod(0o755)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        # A mirror that is not there: nothing is asked of any network.
        command = [
            sys.executable,
            "-m",
            "argosy.cli",
            "-H",
            self.daemon.host,
            "image",
            "bootstrap",
            "--mirror",
            "file:/nonexistent",
            *words,
        ]
        return subprocess.Popen(
            command, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def left(self) -> list[str]:
        """Return what is still there: folders, processes and mounts of a making, images."""
        found = [str(path) for path in self.tmp.iterdir()]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.bin) in words or str(self.tmp) in words:
                found.append(words)
        found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(self.tmp) in line]
        return found + [view["Id"] for view in self.daemon.api("GET", "/images/json") if "busybox:latest" not in (view["RepoTags"] or [])]


@pytest.fixture(scope="module")
def daemon(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One argosyd for the tests of this file."""
    if busybox() is None:
        pytest.skip("needs busybox-static")
    daemon = Daemon(tmp_path_factory.mktemp("d"))
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.destroy()


@pytest.fixture
def bench(leak_check: LeakCheck, tmp_path: Path, daemon: Daemon) -> Bench:
    """A stand-in that works, and nothing there before."""
    bench = Bench(tmp_path, daemon)
    bench.debootstrap()
    return bench


def wait_for(process: "subprocess.Popen[str]", path: Path) -> None:
    """Return when the stand-in has said by a file that it is at work."""
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_the_tree_becomes_an_image_that_runs(bench: Bench) -> None:
    code, out, err = bench.run("team/debian:sid")
    assert code == 0 and out.startswith("sha256:"), err
    assert err.splitlines() == [
        f"debootstrap: debian sid for {err.split()[4]} from file:/nonexistent",
        *("Retrieving ...", "warning: odd but true", "Configuring ..."),
    ]
    done = bench.daemon.argosy("run", "--rm", "--network", "none", "--hostname", "x", "team/debian:sid", "cat", "/etc/made")
    assert done.stdout == "made from file:/nonexistent\n"
    view = json.loads(bench.daemon.argosy("image", "inspect", "team/debian:sid").stdout)[0]
    assert view["Config"]["Cmd"] == ["bash"] and view["Config"]["Env"][0].startswith("PATH=/usr/local/sbin:")
    bench.daemon.api("DELETE", "/images/team/debian:sid")
    assert bench.left() == []


def test_a_failure_is_told_in_debootstraps_words(bench: Bench) -> None:
    bench.debootstrap("echo 'E: Failed getting release file http://x/Release' >&2; exit 1")
    code, out, err = bench.run("debian:sid")
    assert (code, out) == (1, "")
    assert "debootstrap could not make sid:" in err and "  E: Failed getting release file" in err and "--suite and --mirror" in err
    assert bench.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    # What debootstrap starts hears nothing of the signal, and holds none of our pipes.
    bench.debootstrap(f"touch {bench.bin}/working; sleep 1000 >/dev/null 2>&1")
    process = bench.start("debian:sid")
    wait_for(process, bench.bin / "working")
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert bench.left() == []


def test_what_a_killed_run_has_left_the_next_takes_away_but_not_what_another_works_in(bench: Bench) -> None:
    bench.debootstrap(f"touch {bench.bin}/working; sleep 1000 >/dev/null 2>&1")
    process = bench.start("debian:sid")
    wait_for(process, bench.bin / "working")
    (bench.bin / "working").unlink()
    other = bench.start("other/debian:sid")
    # At work: it has locked its place. Before that a sweep takes it, and it makes another.
    wait_for(other, bench.bin / "working")
    process.kill()
    process.communicate()
    left = {path.name for path in bench.tmp.iterdir()}
    assert len(left) == 2
    bench.debootstrap("exit 1")
    bench.run("debian:sid")
    assert len(list(bench.tmp.iterdir())) == 1
    other.send_signal(signal.SIGINT)
    other.communicate(timeout=30)
    assert bench.left() == []


def test_half_a_tree_is_no_image(bench: Bench) -> None:
    (bench.bin / "tar").write_text("#!/bin/sh\n/usr/bin/tar \"$@\" | head -c 300000\necho 'tar: disk on fire' >&2\nexit 2\n")
    (bench.bin / "tar").chmod(0o755)
    code, _, err = bench.run("debian:sid")
    assert code == 1 and "tar failed: tar: disk on fire" in err
    assert bench.left() == []


def test_a_machine_without_debootstrap_is_told_the_package(bench: Bench) -> None:
    (bench.bin / "debootstrap").unlink()
    bench.environ["PATH"] = str(bench.bin)
    code, _, err = bench.run("debian:bookworm")
    assert code == 1 and "debootstrap" in err and "apt-get install" in err


def test_no_daemon_no_work(bench: Bench) -> None:
    bench.debootstrap(f"touch {bench.bin}/working")
    words = [sys.executable, "-m", "argosy.cli", "-H", "unix:///nonexistent.sock", "image", "bootstrap", "debian:sid"]
    done = subprocess.run(words, env=bench.environ, capture_output=True, text=True)
    assert done.returncode == 1 and "Cannot connect" in done.stderr
    assert not (bench.bin / "working").exists() and bench.left() == []
