"""Several machines on one: each a set of namespaces with its own processes, mounts, names, network and cgroups, on one switch.

As a library: ``with Machines("abc") as machines: machines.up(3)``. By hand: ``python tests/hosts/machines.py 3 -- bash``
brings three up, runs the command beside them and takes them down again. Root only.

A machine sees the host's files read-only below, changes to /etc, /var, /root and /opt stay in its own directory, /run is
empty at each boot, and its cgroup is the root of what it sees. `kill` pulls the plug: the cable first, so that peers notice
silence and no closed connection. Its directory is its disk and stays until `down`.
"""

import argparse
import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

OVERLAID = ("etc", "root", "opt", "var")
"""/var last: by default the disks lie under it, and it covers them."""
NAMESPACES = ("-m", "-u", "-i", "-n", "-p", "-C")


def _do(*command: str, check: bool = True, script: str | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done


def cgroup_mounts() -> list[tuple[str, str, str]]:
    """Return (mount point, type, controllers) of the cgroup hierarchies, outer ones first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        point = left.split()[4]
        if kind in ("cgroup", "cgroup2") and point.startswith("/sys/fs/cgroup"):
            flags = ("rw", "ro", "xattr", "nsdelegate", "memory_recursiveprot", "favordynmods")
            found.append((point, kind, ",".join(option for option in options.split(",") if option not in flags)))
    return sorted(found)


class Machine:
    """One machine; made by `Machines.up`."""

    def __init__(self, machines: "Machines", number: int) -> None:
        self.machines = machines
        self.number = number
        self.name = f"{machines.name}{number}"
        self.ip = f"{machines.subnet}.{number}"
        self.disk = machines.directory / self.name
        self.port = f"p{number}"
        self.pid = 0
        self._outer: subprocess.Popen[bytes] | None = None
        self._cgroups = [Path(point) / f"agthosts-{machines.name}" / self.name for point, _, _ in cgroup_mounts()]

    def boot(self) -> None:
        """Start it, on the same disk and address as before. Raises RuntimeError with its own words."""
        for part in ("upper", "aside"):
            for top in OVERLAID:
                (self.disk / part / top).mkdir(parents=True, exist_ok=True)
        for cgroup in self._cgroups:
            cgroup.mkdir(parents=True, exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                for folder in (cgroup.parent, cgroup):
                    if (folder / name).exists() and not (folder / name).read_text().strip():
                        (folder / name).write_text((folder.parent / name).read_text())
        join = "".join(f'echo $$ > "{cgroup}/cgroup.procs" && ' for cgroup in self._cgroups)
        inner = [
            "unshare",
            *NAMESPACES,
            "--fork",
            "--propagation",
            "private",
            sys.executable,
            __file__,
            "--init",
            str(self.disk),
            self.name,
        ]
        self._outer = subprocess.Popen(["sh", "-c", join + 'exec "$@"', "sh", *inner], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._outer.stdout is not None
        word = self._outer.stdout.readline()
        if word != b"up\n":
            raise RuntimeError(f"{self.name} does not boot: {word.decode()}")
        self.pid = int(Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text())
        self._plug_in()

    def _plug_in(self) -> None:
        mac = f"02:98:00:00:00:{self.number:02x}"
        switch = self.machines.switch
        _do("ip", "-n", switch, "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(self.pid))
        _do("ip", "-n", switch, "link", "set", self.port, "master", "switch", "up")
        lines = f"addr add {self.ip}/24 dev eth0\nlink set lo up\nlink set eth0 up\nroute add default via {self.machines.subnet}.254\n"
        _do("nsenter", "-t", str(self.pid), "-n", "ip", "-b", "-", script=lines)

    def enter(self) -> list[str]:
        """Return the words before a command that runs in it."""
        return ["nsenter", "-t", str(self.pid), *NAMESPACES, "--"]

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in it and wait."""
        return subprocess.run([*self.enter(), *command], **{"capture_output": True, "text": True, "timeout": 120} | options)

    def spawn(self, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Run a command in it beside the test."""
        return subprocess.Popen([*self.enter(), *command], stdin=subprocess.DEVNULL, **options)

    def cut(self) -> None:
        """Take its cable out."""
        _do("ip", "-n", self.machines.switch, "link", "set", self.port, "down")

    def heal(self) -> None:
        """Put its cable back."""
        _do("ip", "-n", self.machines.switch, "link", "set", self.port, "up")

    def kill(self) -> None:
        """Pull the plug; safe to call when it is down."""
        _do("ip", "-n", self.machines.switch, "link", "set", self.port, "down", check=False)
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                end = os.pidfd_open(self.pid)
                # The kernel kills everything in a pid namespace with its process 1.
                os.kill(self.pid, signal.SIGKILL)
                select.select([end], [], [], 30)
                os.close(end)
            self.pid = 0
        if self._outer is not None:
            self._outer.wait(30)
            assert self._outer.stdout is not None
            self._outer.stdout.close()
            self._outer = None
        _do("ip", "-n", self.machines.switch, "link", "del", self.port, check=False)
        for cgroup in self._cgroups:
            _remove_cgroup(cgroup)


def _remove_cgroup(top: Path) -> None:
    deadline = time.monotonic() + 10
    while top.is_dir():
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        if top.is_dir():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{top} does not become empty")
            # Processes that were killed leave their cgroup a little later.
            time.sleep(0.02)


class Machines:
    """A set of machines and the switch between them; the name (a few letters) tells sets apart."""

    def __init__(self, name: str, *, subnet: str = "10.98.0", directory: Path | None = None) -> None:
        self.name = name
        self.subnet = subnet
        self.directory = directory or Path(f"/var/tmp/agthosts-{name}")
        self.switch = f"agthosts-{name}"
        self.machines: list[Machine] = []

    def __enter__(self) -> "Machines":
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def __getitem__(self, number: int) -> Machine:
        """Return machine 1, 2, …"""
        return self.machines[number - 1]

    def up(self, count: int) -> None:
        """Bring machines up until there are ``count``."""
        if not self.machines:
            _do("ip", "netns", "add", self.switch)
            _do("ip", "-n", self.switch, "link", "add", "switch", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
            _do("ip", "-n", self.switch, "addr", "add", f"{self.subnet}.254/24", "dev", "switch")
            _do("ip", "-n", self.switch, "link", "set", "switch", "up")
        while len(self.machines) < count:
            machine = Machine(self, len(self.machines) + 1)
            self.machines.append(machine)
            machine.boot()

    def partition(self, *groups: Iterable[Machine]) -> None:
        """Let nothing pass between the groups; machines in none reach all."""
        sides = [[f'"{machine.port}"' for machine in group] for group in groups]
        rules = [
            f"iifname {{ {', '.join(one)} }} oifname {{ {', '.join(other)} }} drop" for one in sides for other in sides if one is not other
        ]
        body = "\n".join(["type filter hook forward priority -200; policy accept;", *rules])
        text = f"add table bridge cut\ndelete table bridge cut\ntable bridge cut {{\nchain f {{\n{body}\n}}\n}}\n"
        _do("nsenter", f"--net=/run/netns/{self.switch}", "nft", "-f", "-", script=text)

    def heal(self) -> None:
        """Undo cuts and partitions."""
        _do("nsenter", f"--net=/run/netns/{self.switch}", "nft", "delete", "table", "bridge", "cut", check=False)
        for machine in self.machines:
            if machine.pid:
                machine.heal()

    def down(self) -> None:
        """Take everything down and away."""
        for machine in self.machines:
            machine.kill()
        self.machines.clear()
        _do("ip", "netns", "del", self.switch, check=False)
        for point, _, _ in cgroup_mounts():
            with contextlib.suppress(OSError):
                os.rmdir(Path(point) / f"agthosts-{self.name}")
        shutil.rmtree(self.directory, ignore_errors=True)


def _mount(kind: str, point: str, options: str = "") -> None:
    _do("mount", "-t", kind, *(["-o", options] if options else []), kind, point)


def _init(disk: str, name: str) -> None:
    """The machine's process 1: mounts, then reaps whatever becomes its child."""
    hierarchies = cgroup_mounts()
    for top in OVERLAID:
        _mount("overlay", f"/{top}", f"lowerdir=/{top},upperdir={disk}/upper/{top},workdir={disk}/aside/{top}")
    _mount("proc", "/proc", "nosuid,nodev,noexec")
    _mount("tmpfs", "/run", "mode=755")
    Path("/run/netns").mkdir()
    Path("/run/lock").mkdir()
    _do("umount", "-R", "-l", "/sys", check=False)
    _mount("sysfs", "/sys", "nosuid,nodev,noexec")
    if hierarchies and hierarchies[0][0] == "/sys/fs/cgroup":
        _mount("cgroup2", "/sys/fs/cgroup")
    elif hierarchies:
        _mount("tmpfs", "/sys/fs/cgroup", "mode=755")
        for point, kind, options in hierarchies:
            Path(point).mkdir()
            _mount(kind, point, options if kind == "cgroup" else "")
    _do("hostname", name)
    Path("/etc/hostname").write_text(name + "\n")
    os.write(1, b"up\n")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    while True:
        signal.pause()


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--init"]:
        try:
            _init(*arguments[1:])
        except (OSError, RuntimeError) as error:
            os.write(1, f"{error}\n".encode())
            return 1
    parser = argparse.ArgumentParser(description="Bring machines up, run a command beside them, take them down.")
    parser.add_argument("count", type=int)
    parser.add_argument("--name", default="h")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    with Machines(options.name) as machines:
        machines.up(options.count)
        for machine in machines.machines:
            print(f"{machine.name}\t{machine.ip}\t{' '.join(machine.enter())} sh", flush=True)
        return subprocess.run(options.command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
