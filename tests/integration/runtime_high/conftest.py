"""A real runtime on a scratch exec root, with busybox as the only program."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from argosy.base.ids import new_id
from argosy.base.tasks import Supervisor
from argosy.runtime.client import ShimHandle, ShimRuntime
from argosy.runtime.compile import probe_host
from argosy.runtime.model import AttachRequest, ExecRequest, Exited, LogPlan, StartRequest
from argosy.storage.model import Overlay

_APPLETS = (
    *("sh", "cat", "echo", "sleep", "dd", "yes", "head", "tail", "seq", "tr", "stty", "ls", "id", "true", "false"),
    *("kill", "test", "printf", "wc", "md5sum", "ps", "od", "env", "readlink"),
)
_NAMESPACES = ("pid", "mount", "ipc", "uts", "network")
_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666", "mode=0620"]},
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "runtime_high" in str(item.path):
            item.add_marker(pytest.mark.root)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def scratch() -> Iterator[str]:
    path = tempfile.mkdtemp(prefix="argosy-high-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Bench:
    """Makes containers and remembers how they ended."""

    def __init__(self, scratch: str, runtime: ShimRuntime, parent: str) -> None:
        self.scratch, self.runtime, self.parent = scratch, runtime, parent
        self.exits: dict[tuple[str, str], asyncio.Future[Exited]] = {}
        self.ooms: list[str] = []
        self.listen(runtime)

    def listen(self, runtime: ShimRuntime) -> None:
        self.runtime = runtime
        runtime.on_exit(self._ended)
        runtime.on_oom(self.ooms.append)

    def _ended(self, exited: Exited) -> None:
        told = self.exit(exited.container_id, exited.exec_id)
        if not told.done():  # an adopted shim may repeat the end of an exec
            told.set_result(exited)

    def exit(self, container_id: str, exec_id: str = "") -> "asyncio.Future[Exited]":
        key = (container_id, exec_id)
        if key not in self.exits:
            self.exits[key] = asyncio.get_running_loop().create_future()
        return self.exits[key]

    async def code(self, shim: ShimHandle, exec_id: str = "") -> int:
        return (await asyncio.wait_for(self.exit(shim.id, exec_id), 30)).record.exit_code

    def log_path(self, container_id: str) -> str:
        return os.path.join(self.scratch, container_id[:12], "log")

    def log(self, container_id: str) -> str:
        with open(self.log_path(container_id)) as file:
            return file.read()

    def request(self, *args: str, **changes: Any) -> StartRequest:
        container_id = changes.pop("id", None) or new_id()
        own = os.path.join(self.scratch, container_id[:12])
        for name in ("upper", "work"):
            os.makedirs(os.path.join(own, name), exist_ok=True)
        terminal = changes.get("terminal", False)
        spec: Any = {
            "ociVersion": "1.2.0",
            "root": {"path": "rootfs"},
            "hostname": container_id[:12],
            "process": {
                "terminal": terminal,
                "user": {"uid": 0, "gid": 0},
                "args": list(args),
                "env": ["PATH=/bin", "TERM=xterm"],
                "cwd": "/",
            },
            "mounts": _MOUNTS,
            "linux": {
                "namespaces": [{"type": kind} for kind in _NAMESPACES],
                "cgroupsPath": f"/{self.parent}/{container_id}",
                "resources": changes.pop("resources", {}),
            },
        }
        log = LogPlan(changes.pop("log", "json-file"), os.path.join(own, "log"), changes.pop("log_options", {}))
        values: dict[str, Any] = {"terminal": False, "open_stdin": False, "stdin_once": False, "console_size": (0, 0), "init": False}
        rootfs = Overlay((os.path.join(self.scratch, "rootfs"),), os.path.join(own, "upper"), os.path.join(own, "work"))
        return StartRequest(id=container_id, spec=spec, rootfs=rootfs, log=log, **{**values, **changes})

    async def start(self, *args: str, **changes: Any) -> ShimHandle:
        shim = await self.runtime.prepare(self.request(*args, **changes))
        await shim.release()
        return shim

    async def run(self, *args: str, **changes: Any) -> tuple[int, ShimHandle]:
        shim = await self.start(*args, **changes)
        return await self.code(shim), shim

    async def kill(self, shim: ShimHandle) -> None:
        shim.signal(9)
        await self.code(shim)


class Client:
    """The client's side of an attached socket."""

    def __init__(self) -> None:
        self.socket, self.theirs = socket.socketpair()
        self.socket.setblocking(False)

    def given(self) -> int:
        return self.theirs.fileno()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    async def read_all(self) -> bytes:
        """Return all that comes until the shim lets us go."""
        self.theirs.close()
        parts = []
        while data := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 1 << 20), 30):
            parts.append(data)
        self.socket.close()
        return b"".join(parts)

    async def read_until(self, mark: bytes) -> bytes:
        text = b""
        while mark not in text:
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 1 << 16), 30)
            assert data, text
            text += data
        return text

    def close(self) -> None:
        self.socket.close()
        self.theirs.close()


def frames(data: bytes) -> dict[int, bytes]:
    """Return the payload of each stream of a multiplexed capture."""
    streams: dict[int, list[bytes]] = {1: [], 2: []}
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "big")
        streams[data[position]].append(data[position + 8 : position + 8 + size])
        position += 8 + size
    return {stream: b"".join(parts) for stream, parts in streams.items()}


def attach_request(**changes: Any) -> AttachRequest:
    return AttachRequest(**{"stdin": False, "stdout": True, "stderr": True, **changes})


def exec_request(*args: str, **changes: Any) -> ExecRequest:
    process = {"args": list(args), "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "user": {"uid": 0, "gid": 0}}
    values = {"exec_id": new_id(), "process": process, "terminal": False, "console_size": (0, 0), "privileged": False, "attach": None}
    return ExecRequest(**{**values, **changes})


@pytest.fixture
async def bench(scratch: str) -> AsyncIterator[Bench]:
    binaries = os.path.join(scratch, "rootfs", "bin")
    os.makedirs(binaries)
    for name in ("etc", "proc", "dev", "sys", "tmp"):
        os.makedirs(os.path.join(scratch, "rootfs", name))
    shutil.copy("/bin/busybox", binaries)
    for name in _APPLETS:
        os.symlink("busybox", os.path.join(binaries, name))
    parent = f"argosy-high-{os.getpid()}"
    supervisor = Supervisor()
    runtime = ShimRuntime(exec_root=os.path.join(scratch, "exec"), daemon_id="test", supervisor=supervisor)
    made = Bench(scratch, runtime, parent)
    try:
        yield made
    finally:
        await _sweep(made)
        await made.runtime.close()
        await supervisor.close()
        _remove_cgroups(parent)


async def _sweep(bench: Bench) -> None:
    """Leave no container behind, also when the test failed."""
    for container_id in bench.runtime.known():
        found = bench.runtime._handles.get(container_id) or await bench.runtime.adopt(container_id)
        if isinstance(found, ShimHandle):
            found.kill_all()
        await asyncio.wait_for(bench.runtime.forget(container_id), 20)


def _remove_cgroups(parent: str) -> None:
    host = probe_host()
    for mount in {*host.cgroup_mounts.values(), host.unified} - {""}:
        try:
            os.rmdir(os.path.join(mount, parent))
        except OSError:
            pass
