"""One shim as the engine sees it (engine.ports.Shim)."""

import asyncio
import errno
import itertools
import os
import signal
from collections.abc import Mapping
from typing import Any

from argosy.base.errors import ConflictError, NotFoundError, SystemFailureError
from argosy.runtime.cgroups import Group
from argosy.runtime.client.connection import Closed, Connection, Message, RequestFailed
from argosy.runtime.exitrecord import start_time
from argosy.runtime.model import AttachRequest, ExecRequest, HoldEnded, StartFailed

_tokens = itertools.count(1)


class ShimHandle:
    """A prepared or running container; made by `ShimRuntime` alone."""

    def __init__(self, connection: Connection, hello: Mapping[str, Any], group: Group, terminal: bool) -> None:
        self.id: str = hello["id"]
        self.pid: int = hello["pid"]
        self.pid_start: int = hello["pid_start"]
        self.attempt: str = hello["attempt"]
        self.preserved: Mapping[str, Any] = hello["preserved"]
        self.warnings: list[str] = hello["warnings"]
        self.group = group
        self.terminal = terminal
        self.connection = connection
        self.released = hello["state"] != "prepared"
        self.execs: set[str] = set(hello["execs"])
        """Running execs, as far as known here."""
        self.unacknowledged: set[str] = set()
        """Execs whose end was told to the listeners while the shim may still repeat it."""
        self.closed = asyncio.Event()
        """The shim has cleaned up (or died)."""
        self._attached: dict[str, asyncio.Future[None]] = {}
        self._pidfd = _verified_pidfd(self.pid, self.pid_start)

    # ------------------------------------------------------------------ engine.ports.Shim

    async def release(self) -> None:
        try:
            await self._call("release")
        except RequestFailed as error:
            raise StartFailed(str(error), error.code or 128) from None
        except Closed:
            raise StartFailed("failed to start task for container: the shim was killed", 128) from None
        self.released = True

    async def abandon(self) -> None:
        """Returns when nothing is left of a prepared one."""
        if self.released:
            self.kill_all()
            return
        try:
            await self._call("abandon")
        except (RequestFailed, Closed):
            pass  # it has undone itself already

    def signal(self, number: int) -> None:
        """Signal init by pidfd. Raises NotFoundError when it is gone."""
        try:
            if self._pidfd < 0:
                raise ProcessLookupError
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            raise NotFoundError(f"container {self.id} is not running") from None

    async def hold(self) -> str:
        token = f"{os.getpid()}.{next(_tokens)}"
        try:
            await self._call("hold", hold=token)
        except RequestFailed as error:
            if error.kind == "unknown":
                return ""  # a shim of an older version: it cannot
            raise ConflictError(f"container {self.id} is not running") from None
        except Closed:
            raise ConflictError(f"container {self.id} is not running") from None
        return token

    async def attach(self, request: AttachRequest, sock: int, first: bytes, hold: str = "") -> "asyncio.Future[None]":
        token = f"{os.getpid()}.{next(_tokens)}"
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._attached[token] = done
        try:
            await self._call("attach", (sock,), client=token, attach=_attach(request, first), hold=hold)
        except BaseException as error:
            self._attached.pop(token, None)
            if isinstance(error, RequestFailed) and error.kind == "late":
                raise HoldEnded(str(error)) from None
            if isinstance(error, (RequestFailed, Closed)):
                raise ConflictError(f"container {self.id} is not running") from None
            raise
        return done

    async def exec(self, request: ExecRequest, sock: int | None, first: bytes) -> int:
        fields = {
            "exec_id": request.exec_id,
            "process": dict(request.process),
            "terminal": request.terminal,
            "console_size": list(request.console_size),
            "privileged": request.privileged,
            "kill_on_disconnect": request.kill_on_disconnect,
            "limit": request.start_limit,
            "attach": None if request.attach is None else _attach(request.attach, first),
        }
        self.execs.add(request.exec_id)
        try:
            answer = await self._call("exec", () if sock is None else (sock,), exec=fields)
        except RequestFailed as error:
            self.execs.discard(request.exec_id)
            if error.kind == "start":
                raise StartFailed(str(error), error.code) from None
            if error.kind == "gone":
                raise ConflictError(f"container {self.id} is not running") from None
            raise SystemFailureError(str(error)) from None
        except Closed:
            self.execs.discard(request.exec_id)
            raise ConflictError(f"container {self.id} is not running") from None
        except asyncio.CancelledError:
            # Nobody waits for it any more; by now it may run or hang.
            self.execs.discard(request.exec_id)
            self.connection.post("signal", exec_id=request.exec_id, signal=signal.SIGKILL)
            raise
        pid: int = answer["pid"]
        return pid

    async def signal_exec(self, exec_id: str, number: int) -> None:
        await self._asked("signal", exec_id=exec_id, signal=number)

    async def resize(self, exec_id: str, rows: int, columns: int) -> None:
        await self._asked("resize", exec_id=exec_id, rows=rows, columns=columns)

    async def flush_logs(self) -> None:
        try:
            await self._call("flush")
        except Closed:
            pass  # it closed the log before it left

    # ------------------------------------------------------------------ engine.ports.Confined

    def kill_all(self) -> None:
        self.group.kill()

    async def pause(self) -> None:
        try:
            await asyncio.to_thread(self.group.freeze)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise ConflictError(f"container {self.id} is not running") from None
            raise

    async def resume(self) -> None:
        try:
            await asyncio.to_thread(self.group.thaw)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def paused(self) -> bool:
        return self.group.frozen()

    async def update(self, resources: Mapping[str, object]) -> None:
        await asyncio.to_thread(self.group.update, resources)

    def processes(self) -> list[int]:
        return self.group.processes()

    def sample(self) -> Mapping[str, object]:
        return self.group.sample()

    # ------------------------------------------------------------------ beyond the port

    async def stats(self) -> Mapping[str, Any]:
        """Return the shim's own counters: output_bytes, log_lost_bytes, clients, execs (running), starting (execs)."""
        return await self._call("stats")

    # ------------------------------------------------------------------ told by the runtime

    def detached(self, token: str) -> None:
        done = self._attached.pop(token, None)
        if done is not None and not done.done():
            done.set_result(None)

    def ended(self) -> None:
        """The connection is closed: nothing more comes."""
        for token in tuple(self._attached):
            self.detached(token)
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self.closed.set()

    async def acknowledge(self, exec_id: str) -> None:
        """Tell the shim that it may forget this exec's code."""
        try:
            await self._call("seen", exec_ids=[exec_id])
        except (RequestFailed, Closed):
            return
        self.unacknowledged.discard(exec_id)

    async def _call(self, verb: str, fds: tuple[int, ...] = (), **fields: Any) -> Message:
        return await self.connection.call(verb, fds, **fields)

    async def _asked(self, verb: str, **fields: Any) -> None:
        try:
            await self._call(verb, **fields)
        except RequestFailed as error:
            if error.kind == "gone":
                raise NotFoundError(str(error)) from None
            if error.kind == "conflict":
                raise ConflictError(str(error)) from None
            raise SystemFailureError(str(error)) from None
        except Closed:
            raise NotFoundError(f"container {self.id} is not running") from None


def _attach(request: AttachRequest, first: bytes) -> dict[str, Any]:
    return {
        "stdin": request.stdin,
        "stdout": request.stdout,
        "stderr": request.stderr,
        "multiplexed": request.multiplexed,
        "keys": request.detach_keys.decode("latin-1"),
        "first": first.decode("latin-1"),
    }


def _verified_pidfd(pid: int, started: int) -> int:
    """Return a pidfd of that very process, -1 if it is gone: opened first, checked then."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    if start_time(pid) != started:
        os.close(fd)
        return -1
    return fd
