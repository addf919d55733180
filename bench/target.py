"""An engine under measurement: its containers, its processes and their memory, its start and its end."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wire import Wire

IMAGE = "argosy-bench:latest"
READY_SECONDS = 60
# What belongs to the container's configuration itself; all other words of `create` are of its HostConfig.
CONFIG_KEYS = {"StopSignal", "ExposedPorts", "Tty", "Image"}


class Target:
    """One engine. Keys of its description: label, sock; optional netns, pidfile or pids, match, hostconfig, start.

    ``start`` is the command that starts the daemon in the foreground: what is measured on a fresh daemon needs it.
    """

    def __init__(self, description: dict[str, Any]) -> None:
        self.label: str = description["label"]
        self.path: str = description["sock"].removeprefix("unix://")
        self.netns: str = description.get("netns", "")
        self.pidfile: str = description.get("pidfile", "")
        self.pids: list[int] = description.get("pids", [])
        self.match: str = description.get("match", "")
        self.hostconfig: dict[str, Any] = description.get("hostconfig", {})
        self.command: list[str] = description.get("start", [])
        self.wire = Wire(self.path)
        self.process: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------------ containers

    def create(self, command: Sequence[str], network: str = "none", wire: Wire | None = None, **options: Any) -> str:
        """Create a container of the bench's image; return its id."""
        body: dict[str, Any] = {"Image": IMAGE, "Cmd": list(command)}
        body |= {key: value for key, value in options.items() if key in CONFIG_KEYS}
        host = {key: value for key, value in options.items() if key not in CONFIG_KEYS}
        body["HostConfig"] = {"NetworkMode": network, **self.hostconfig, **host}
        return str((wire or self.wire).request("POST", "/containers/create", body).expect(201).json()["Id"])

    def start(self, container: str, wire: Wire | None = None) -> None:
        """Start it."""
        (wire or self.wire).request("POST", f"/containers/{container}/start").expect(204)

    def run(self, command: Sequence[str], network: str = "none", **options: Any) -> str:
        """Create and start a container; return its id."""
        container = self.create(command, network, **options)
        self.start(container)
        return container

    def wait(self, container: str) -> int:
        """Wait until it has ended; return its exit code."""
        return int(self.wire.request("POST", f"/containers/{container}/wait").expect(200).json()["StatusCode"])

    def remove(self, container: str, wire: Wire | None = None) -> None:
        """Remove it with its anonymous volumes, running or not."""
        (wire or self.wire).request("DELETE", f"/containers/{container}?force=1&v=1").expect(200, 204, 404)

    def at_once(self, count: int, width: int, work: Callable[[Wire], None]) -> None:
        """Do ``count`` times the same work on ``width`` connections."""
        local = threading.local()

        def one(_: int) -> None:
            if not hasattr(local, "wire"):
                local.wire = Wire(self.path)
            work(local.wire)

        with ThreadPoolExecutor(width) as pool:
            list(pool.map(one, range(count)))

    def remove_all(self, containers: Sequence[str], width: int = 8) -> None:
        """Remove many."""
        left = list(containers)
        self.at_once(len(left), width, lambda wire: self.remove(left.pop(), wire))

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return the command as it runs where the engine's ports are."""
        return [*(["nsenter", f"--net={self.netns}"] if self.netns else []), *command]

    # ------------------------------------------------------------------ processes

    def roots(self) -> list[int]:
        """Return the pids of the daemon itself."""
        if self.process and self.process.poll() is None:
            return [self.process.pid]
        if self.pidfile and os.path.exists(self.pidfile):
            with open(self.pidfile) as file:
                return [int(file.read())]
        return self.pids

    def processes(self) -> set[int]:
        """Return the daemon's processes: its roots, their descendants and those that match, without what runs in containers."""
        parents: dict[int, int] = {}
        found = set(self.roots())
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
                if self.match:
                    with open(f"/proc/{name}/cmdline") as file:
                        if int(name) != os.getpid() and re.search(self.match, file.read().replace("\0", " ")):
                            found.add(int(name))
            except OSError:
                continue
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return {pid for pid in found if _in_our_pid_namespace(pid)}

    def memory(self) -> dict[str, float]:
        """Return PSS, RSS and anonymous PSS of all its processes in MiB (proc(5), smaps_rollup)."""
        total = {"Pss": 0, "Rss": 0, "Pss_Anon": 0}
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    text = file.read()
            except OSError:
                continue
            for key in total:
                total[key] += int(match[1]) if (match := re.search(rf"^{key}:\s+(\d+)", text, re.M)) else 0
        return {key: value / 1024 for key, value in total.items()}

    # ------------------------------------------------------------------ the daemon

    def answers(self) -> bool:
        """Tell whether `_ping` answers now."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(10)
            try:
                probe.connect(self.path)
                probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in probe.recv(400)
            except OSError:
                return False

    def launch(self) -> float:
        """Start the daemon; return the seconds until it answered. Raises RuntimeError when it ends or never answers."""
        begun = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while time.perf_counter() - begun < READY_SECONDS:
            # Engines that bind their socket first let the question wait: the answer counts.
            if self.answers():
                return time.perf_counter() - begun
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.label}: the daemon ended with {self.process.returncode}")
            time.sleep(0.002)
        raise RuntimeError(f"{self.label}: the daemon does not answer")

    def kill(self) -> None:
        """End the daemon at once, as a crash does."""
        self.wire.close()
        for pid in self.roots():
            os.kill(pid, signal.SIGKILL)
            while os.path.exists(f"/proc/{pid}") and not (self.process and self.process.poll() is not None):
                time.sleep(0.005)
        self.process = None

    def end(self) -> None:
        """End the daemon, by force after half a minute."""
        self.wire.close()
        for pid in self.roots():
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 30
            while os.path.exists(f"/proc/{pid}") and not (self.process and self.process.poll() is not None):
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)
        self.process = None


def _in_our_pid_namespace(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")
    except OSError:
        return False
