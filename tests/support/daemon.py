"""An argosyd of a test's own: roots, socket, pid file and, unless told otherwise, network namespace; nothing of it stays."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

CHECKOUT = Path(__file__).resolve().parents[2]
# A virtual machine without hardware support is slower by a factor.
BEGIN_SECONDS = 240 if os.environ.get("ARGOSY_IN_VM") else 30


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, standard library only."""

    def __init__(self, path: Path, timeout: float = 60) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Api:
    """Requests to an engine's unix socket: enough for tests that must not trust our own client."""

    def __init__(self, path: Path, version: str = "v1.51") -> None:
        self.path = path
        self.version = version
        self.made: set[str] = set()
        """Ids of the containers that were made through here."""

    def raw(
        self, method: str, route: str, body: object = None, headers: Mapping[str, str] | None = None, timeout: float = 60
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request; return status, headers and the whole body."""
        connection = UnixConnection(self.path, timeout)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data is not None and data is not body else {}
        try:
            connection.request(method, f"/{self.version}{route}", data, kind | dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def __call__(
        self, method: str, route: str, body: object = None, *, ok: Sequence[int] = (200, 201, 204, 304), timeout: float = 60
    ) -> Any:
        """Send one request and return its decoded answer. Raises AssertionError with the engine's words on another status."""
        status, headers, data = self.raw(method, route, body, timeout=timeout)
        assert status in ok, f"{method} {route}: {status} {data[:400]!r}"
        answer = json.loads(data) if data.strip() and "json" in headers.get("Content-Type", "") else data
        if status == 201 and route.startswith("/containers/create"):
            self.made.add(answer["Id"])
        return answer


def processes_of(netns: int, extra: Iterator[int] | Sequence[int] = ()) -> set[int]:
    """Return the processes in a network namespace (by inode) and all their descendants, but not this one's own ancestors."""
    parents: dict[int, int] = {}
    found = set(extra)
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            if os.stat(f"/proc/{name}/ns/net").st_ino == netns:
                found.add(int(name))
        except OSError:
            continue
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {os.getpid(), os.getppid(), 1}


def _same_process(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


class Daemon:
    """One argosyd. ``start`` and ``stop`` may alternate; ``destroy`` takes away all that is left, whatever state it is in.

    In a namespace of its own (the default) its links, rules and processes are found by that namespace; the host's network is untouched.
    With ``own_network=False`` it runs in this process's namespace with a bridge and a subnet of its own.
    """

    made: ClassVar[list["Daemon"]] = []
    """All that this process has made, for those who look for what they left."""

    def __init__(
        self,
        folder: Path,
        *,
        own_network: bool = True,
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        etc: Mapping[str, str] | None = None,
    ) -> None:
        """``etc``: files that lie over the machine's /etc for this daemon alone."""
        Daemon.made.append(self)
        self.name = "agt" + secrets.token_hex(4)
        self.folder = folder
        self.data_root = folder / "data"
        # Short, and on a tmpfs that is gone after a reboot, as the real one's.
        self.exec_root = Path("/run") / self.name
        self.socket = self.exec_root / "api.sock"
        self.pidfile = self.exec_root / "argosyd.pid"
        self.log = folder / "argosyd.log"
        self.own_network = own_network
        self.extra = list(arguments)
        self.environ = dict(environ or {})
        self.etc = etc
        self.api = Api(self.socket)
        self.process: subprocess.Popen[bytes] | None = None
        self.identity = ""
        self._containers: set[str] = set()
        self._log_file: BinaryIO | None = None

    # ------------------------------------------------------------------ life

    @property
    def host(self) -> str:
        """Return the value of DOCKER_HOST for this daemon."""
        return f"unix://{self.socket}"

    def arguments(self) -> list[str]:
        """Return argosyd's command line."""
        program = os.environ.get("ARGOSYD", "")
        words = [program] if program else [sys.executable, "-m", "argosy.daemon"]
        words += [
            "--data-root",
            str(self.data_root),
            "--exec-root",
            str(self.exec_root / "exec"),
            "--pidfile",
            str(self.pidfile),
            "-H",
            self.host,
        ]
        if not self.own_network:
            words += ["--bridge", self.name]
        return words + self.extra

    def _over_etc(self) -> list[str]:
        """Return what to run argosyd with so that it has an /etc of its own, writable, in a mount namespace of its own."""
        if self.etc is None:
            return []
        upper, work = self.folder / "etc", self.folder / "etc-work"
        upper.mkdir(exist_ok=True)
        work.mkdir(exist_ok=True)
        for name, text in self.etc.items():
            if not (upper / name).exists():
                (upper / name).write_text(text)
        script = f'mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={work} /etc && exec "$@"'
        return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh"]

    def start(self, *, wait: bool = True) -> None:
        """Start argosyd; with ``wait`` until it answers. Raises AssertionError with the end of its log when it does not."""
        assert self.process is None or self.process.poll() is not None
        self.data_root.mkdir(parents=True, exist_ok=True)
        self.exec_root.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        enter: list[str] = []
        if self.own_network:
            if not Path(f"/run/netns/{self.name}").exists():
                subprocess.run(["ip", "netns", "add", self.name], check=True)
                self.run_inside(["ip", "link", "set", "lo", "up"])
            enter = ["nsenter", f"--net=/run/netns/{self.name}"]
        elif not Path(f"/sys/class/net/{self.name}").exists():
            # As dockerd: a bridge that is named must be there, and its address says the subnet.
            subprocess.run(["ip", "link", "add", self.name, "type", "bridge"], check=True)
            subprocess.run(["ip", "addr", "add", f"10.211.{int(self.name[3:5], 16)}.1/24", "dev", self.name], check=True)
            subprocess.run(["ip", "link", "set", self.name, "up"], check=True)
        environ = os.environ | {"ARGOSY_TEST_DAEMON": self.name} | self.environ
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*enter, *self._over_etc(), *self.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                start_new_session=True,
            )
        if wait:
            self.await_ready()

    def await_ready(self) -> None:
        """Return once `_ping` answers."""
        deadline = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.api.raw("GET", "/_ping", timeout=5)[0] == 200:
                    self.identity = str(self.api("GET", "/info").get("ID", ""))
                    return
            except OSError:
                pass
            if self.process and self.process.poll() is not None:
                raise AssertionError(f"argosyd ended with {self.process.returncode}:\n{self.log_end()}")
            time.sleep(0.01)
        raise AssertionError(f"argosyd did not answer within {BEGIN_SECONDS} s:\n{self.log_end()}")

    def log_end(self, lines: int = 40) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal to argosyd itself."""
        assert self.process
        self.process.send_signal(number)

    def stop(self, timeout: float = 20) -> int:
        """End argosyd as a service manager does (containers go on); return its exit status."""
        assert self.process
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def kill(self) -> None:
        """End argosyd at once, as a crash does (containers go on)."""
        assert self.process
        self.process.kill()
        self.process.wait()

    # ------------------------------------------------------------------ use

    def run_inside(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a host command in the daemon's network namespace. Raises CalledProcessError when it fails, unless check=False."""
        enter = ["nsenter", f"--net=/run/netns/{self.name}"] if self.own_network else []
        return subprocess.run([*enter, *command], **{"check": True, "text": True, "capture_output": True, "timeout": 120} | options)

    def argosy(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run our client against this daemon."""
        command = [sys.executable, "-m", "argosy.cli", "-H", self.host, *words]
        return self.run_inside(command, **{"check": False, "stdin": subprocess.DEVNULL} | options)

    def import_busybox(self, reference: str = "busybox:latest") -> None:
        """Import the machine's own busybox under this name."""
        from support.images import busybox_tar

        repository, _, tag = reference.partition(":")
        changes = urllib.parse.urlencode([("changes", 'CMD ["sh"]'), ("changes", "ENV PATH=/bin:/usr/bin")])
        route = f"/images/create?fromSrc=-&repo={repository}&tag={tag or 'latest'}&{changes}"
        status, _, data = self.api.raw("POST", route, busybox_tar(), {"Content-Type": "application/x-tar"})
        assert status == 200 and b"errorDetail" not in data, data[-400:]

    # ------------------------------------------------------------------ end

    def destroy(self) -> None:
        """Remove all containers, end every process, and take away mounts, cgroups, namespace and folders; never raises for what is gone."""
        if self.process and self.process.poll() is None:
            self._remove_containers()
            self.stop(timeout=8)
        written, folder = self.data_root / "argosy-id", self.data_root / "containers"
        self.identity = self.identity or (written.read_text().strip() if written.exists() else "")
        self._containers |= {name for name in (os.listdir(folder) if folder.is_dir() else ()) if len(name) == 64}
        self._thaw()
        self._kill_processes()
        self._remove_cgroups()
        self._unmount()
        if self.own_network:
            subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
        else:
            subprocess.run(["ip", "link", "del", self.name], capture_output=True)
            self._remove_tables()
        for folder in (self.exec_root, self.data_root):
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_containers(self) -> None:
        try:
            for view in self.api("GET", "/containers/json?all=1", timeout=5):
                self._containers.add(view["Id"])
                self.api.raw("DELETE", f"/containers/{view['Id']}?force=1&v=1", timeout=8)
        except (OSError, AssertionError, ValueError):
            pass

    def _belongs(self, pid: int) -> bool:
        """Tell whether a process holds something under our roots: how those are found that left our namespace or share the host's."""
        roots = (f"{self.exec_root}/", f"{self.data_root}/")
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith(roots) for fd in os.listdir(f"/proc/{pid}/fd")):
                return True
            return any(root in Path(f"/proc/{pid}/mountinfo").read_text() for root in roots) and os.path.realpath(
                f"/proc/{pid}/ns/mnt"
            ) != os.path.realpath("/proc/self/ns/mnt")
        except OSError:
            return False

    def _thaw(self) -> None:
        """Let paused containers go on: frozen, not even SIGKILL ends them on cgroup v1."""
        for top in (Path("/sys/fs/cgroup/freezer"), Path("/sys/fs/cgroup")):
            for base in top.glob("*argosy*"):
                for path, _, files in os.walk(base):
                    if any(mark in path for mark in self.marks()):
                        for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                            if name in files:
                                Path(path, name).write_text(word)

    def _kill_processes(self) -> None:
        space = Path(f"/run/netns/{self.name}")
        inode = space.stat().st_ino if self.own_network and space.exists() else -1
        for _ in range(50):
            everybody = [int(name) for name in os.listdir("/proc") if name.isdigit()]
            ours = processes_of(inode, [pid for pid in everybody if pid not in (1, os.getpid(), os.getppid()) and self._belongs(pid)])
            live = [pid for pid in ours if _same_process(pid) is not None and not _is_zombie(pid)]
            if not live:
                break
            for pid in live:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        if self.process:
            self.process.wait()

    def _unmount(self) -> None:
        for _ in range(20):
            points = [line.split()[4].encode().decode("unicode_escape") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
            ours = [point for point in points if point.startswith((f"{self.exec_root}/", f"{self.data_root}/"))]
            if not ours:
                return
            for point in reversed(ours):
                subprocess.run(["umount", "-l", point], capture_output=True)

    def _remove_cgroups(self) -> None:
        """Take away the cgroups that carry the daemon's id, its name or the id of a container of its."""
        marks = self.marks()
        for top in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")]:
            for base in top.glob("*argosy*") if top.is_dir() else ():
                for path, _, _ in os.walk(base, topdown=False):
                    if any(mark in path for mark in marks):
                        try:
                            os.rmdir(path)
                        except OSError:
                            pass

    def marks(self) -> set[str]:
        """Return the words that names of what belongs to it carry: its own name, its id and the beginning of that, its containers' ids."""
        ids = {self.identity, f"argosy-{self.identity[:8]}"} if self.identity else set()
        return {self.name, *ids, *self._containers, *self.api.made}

    def _remove_tables(self) -> None:
        """Take away the daemon's tables: their names carry the beginning of its id."""
        done = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True)
        for line in done.stdout.splitlines():
            if self.identity and f"argosy-{self.identity[:8]}" in line:
                subprocess.run(["nft", "delete", *line.split()], capture_output=True)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
