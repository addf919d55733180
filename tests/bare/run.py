"""Bare machines: a minimal Debian 12 and 13 in namespaces of their own, where the two commands must work.

Usage: python -m bare.run [SUITE...] (with tests/ on the path; root, debootstrap). Each suite takes a few minutes the first time.

In each, with nothing but the base system, git and python3: `./quickstart --install-only` and `./test --install-only` fetch what they
need through this machine's network; then, in a network namespace of its own, `./quickstart` sets up and runs the first container, runs
again, `./test unit` passes, and `./quickstart --remove --purge` leaves nothing; nor does it after the daemon was killed.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from support import rootfs
from support.results import Results

CHECKOUT = Path(__file__).resolve().parents[2]
SUITES = ("bookworm", "trixie")
PACKAGES = ("git", "python3")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Runs as the first process of the namespaces; $1 is the tree, the rest the command in it.
ENTER = """set -e
tree=$1; shift
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount -t sysfs sysfs "$tree/sys"
[ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup "$tree/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
for node in null zero full random urandom tty; do touch "$tree/dev/$node"; mount --bind "/dev/$node" "$tree/dev/$node"; done
ln -s /proc/self/fd "$tree/dev/fd"; ln -s fd/0 "$tree/dev/stdin"; ln -s fd/1 "$tree/dev/stdout"; ln -s fd/2 "$tree/dev/stderr"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"; ln -s pts/ptmx "$tree/dev/ptmx"
mount -t tmpfs tmpfs "$tree/dev/shm"; mount -t tmpfs tmpfs "$tree/run"
[ "$OWN_NETWORK" != yes ] || ip link set lo up
cd "$tree"
pivot_root . mnt
umount -l /mnt
exec "$@"
"""


class BareMachine:
    """One unpacked tree and the way to run commands in it."""

    def __init__(self, suite: str, folder: Path) -> None:
        self.suite = suite
        self.tree = folder / suite
        rootfs.unpack(rootfs.debootstrap(suite, PACKAGES, f"bare-{suite}"), self.tree)
        self.environ = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **rootfs.pass_network_settings(self.tree)}
        rootfs.copy_checkout(CHECKOUT, self.tree / "root/argosy")

    def run(self, script: str, *, own_network: bool) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the checkout inside; every process it leaves ends with it."""
        apart = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", *(["--net"] if own_network else [])]
        environ = self.environ | {"OWN_NETWORK": "yes" if own_network else "no"}
        inside = ["/bin/sh", "-c", f"cd /root/argosy && git config --global --add safe.directory '*' && {{ {script.strip()}\n}} 2>&1"]
        return subprocess.run(
            [*apart, "sh", "-c", ENTER, "sh", str(self.tree), *inside],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


FETCHES = (
    ("is a bare machine", "! command -v argosy && ! dpkg -s busybox-static"),
    ("quickstart --install-only", "./quickstart --install-only"),
    ("quickstart --install-only again changes nothing", "./quickstart --install-only | tee /tmp/again && ! grep '==>' /tmp/again"),
    ("no policy-rc.d stays", "! ls /usr/sbin/policy-rc.d*"),
    ("test --install-only", "./test --install-only"),
)
# A command with ! before it does not end a script, whatever `set -e` says: so absence is asked for by these.
ABSENT = r"""
set -e
no() { ! "$@"; }
gone() { found=$(ls -d "$@" 2>/dev/null) || true; [ -z "$found" ] || { echo "still there: $found"; return 1; }; }
"""
# One after the other in the same namespaces: the daemon that the first starts serves the second.
WHOLE = """
./quickstart
echo ---again; ./quickstart
echo ---list; argosy ps | grep hello
echo ---quiet; no grep 'changed by somebody else' /var/log/argosyd.log
echo ---unit; ./test unit
echo ---remove; ./quickstart --remove --purge
echo ---left; gone /var/lib/argosy /var/lib/argosy-quickstart /usr/local/bin/argosy* .venv /run/argosy* /var/log/argosyd.log
no dpkg -s busybox-static >/dev/null 2>&1
no grep -E ' /(run|var/lib)/argosy' /proc/self/mountinfo
echo ---done
"""
STEPS = ("quickstart", "again", "list", "quiet", "unit", "remove", "left")
# The daemon died, and its container lives: it goes nevertheless, and what the kernel was told is told back.
CRASHED = """
serving() { grep -lz '^httpd$' /proc/[0-9]*/cmdline 2>/dev/null || true; }
rm /var/lib/argosy-quickstart/settings # of another network: these are our own's
echo 0 >/proc/sys/net/ipv4/ip_forward
./quickstart
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
[ -n "$(serving)" ]
id=$(argosy inspect --format '{{.Id}}' hello)
[ -n "$(find /sys/fs/cgroup -name "*$id*")" ]
kill -KILL $(cat /run/argosyd.pid)
echo ---removed after a crash; ./quickstart --remove
[ -z "$(serving)" ]
[ -z "$(find /sys/fs/cgroup -name "*$id*")" ]
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
[ "$(ls /var/lib/argosy-quickstart)" = data-root ]
[ -e /var/lib/argosy/argosy-id ]
gone /run/argosy*
no grep argosy0: /proc/net/dev
echo ---purged later; ./quickstart --remove --purge
gone /var/lib/argosy /var/lib/argosy-quickstart
echo ---done
"""
CRASHED_STEPS = ("removed after a crash", "purged later")


def examine(machine: BareMachine, results: Results) -> None:
    """Run the steps on one machine, stopping at the first that fails."""
    for name, script in FETCHES:
        done = machine.run(script, own_network=False)
        if done.returncode:
            report(machine, results, name, done.stdout + done.stderr)
            return
        results.add_pass(f"{machine.suite}: {name}")
    if staged(machine, results, WHOLE, STEPS):
        done = machine.run("./quickstart --install-only", own_network=False)
        if done.returncode:
            report(machine, results, "quickstart --install-only after --remove", done.stdout + done.stderr)
            return
        staged(machine, results, CRASHED, CRASHED_STEPS)


def staged(machine: BareMachine, results: Results, script: str, steps: Sequence[str]) -> bool:
    """Run a script that says ``---STEP`` as it goes; count each step and tell whether all passed."""
    done = machine.run(ABSENT + script, own_network=True)
    seen = [line.removeprefix("---") for line in done.stdout.splitlines() if line.startswith("---")]
    reached = [step for step in steps if step in seen or step == steps[0]]
    if done.returncode == 0 and "done" in seen:
        for step in steps:
            results.add_pass(f"{machine.suite}: {step}")
        return True
    for step in reached[:-1]:
        results.add_pass(f"{machine.suite}: {step}")
    report(machine, results, reached[-1], done.stdout + done.stderr)
    return False


def report(machine: BareMachine, results: Results, name: str, output: str) -> None:
    """Print the end of a failed step's output and count it."""
    print("\n".join(f"  | {line}" for line in output.splitlines()[-40:]))
    results.add_failure(f"{machine.suite}: {name}")


def main(suites: list[str]) -> int:
    """Examine each suite; return the exit status."""
    results = Results()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        results.add_skip("all", "needs root and debootstrap")
        return results.close()
    with tempfile.TemporaryDirectory(prefix="argosy-bare-", dir="/var/tmp") as folder:
        for suite in suites or SUITES:
            examine(BareMachine(suite, Path(folder)), results)
    return results.close()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{shlex.join(map(str, error.cmd))} failed")
