"""`engine.ports.Runtime` on launcher and shims.

Order of a start: the state directory with ``start.json`` (what to clean up) → launcher → shim → prepared. A daemon that dies
in between leaves a shim that undoes everything, because its connection broke before the release.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argosy.base.clock import Clock, SystemClock
from argosy.base.tasks import Supervisor
from argosy.runtime.cgroups import Group, open_group
from argosy.runtime.client import adopt
from argosy.runtime.client.connection import Connection, Message
from argosy.runtime.client.directory import Directories
from argosy.runtime.client.launcher import Launcher
from argosy.runtime.client.plan import Planner
from argosy.runtime.client.shim import ShimHandle
from argosy.runtime.exitrecord import EXIT, SHIM, START, discard, write_json
from argosy.runtime.logs.attributes import TagError, shim_plan
from argosy.runtime.model import Exited, ExitRecord, StartFailed, StartRequest
from argosy.runtime.shim import wire

_log = logging.getLogger(__name__)
SHIM_KILLED = "the shim was killed, and the container with it"


class ShimRuntime:
    def __init__(
        self,
        *,
        exec_root: str,
        daemon_id: str,
        supervisor: Supervisor,
        cgroup_driver: str = "cgroupfs",
        seccomp_cache: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.launcher = Launcher(daemon_id=daemon_id, log_path=os.path.join(exec_root, "launcher.log"))
        self._directories = Directories(exec_root)
        self._planner = Planner(cgroup_driver=cgroup_driver, seccomp_cache=seccomp_cache or os.path.join(exec_root, "seccomp"))
        self._supervisor = supervisor
        self._clock = clock or SystemClock()
        self._handles: dict[str, ShimHandle] = {}
        self._cleaning: dict[str, asyncio.Task[None]] = {}
        self._exit_listeners: list[Callable[[Exited], None]] = []
        self._oom_listeners: list[Callable[[str], None]] = []

    async def start(self) -> None:
        """Start the launcher and learn what the host offers, so that the first container does not wait for it."""
        await asyncio.gather(self.launcher.start(), self._planner.warm())

    async def close(self) -> None:
        """Let all shims go (they live on) and end the launcher."""
        for handle in tuple(self._handles.values()):
            handle.connection.close()
        self._handles.clear()
        await self.launcher.close()

    # ------------------------------------------------------------------ start

    async def prepare(self, request: StartRequest) -> ShimHandle:
        plan, bundle = await self._planner.plan(request)
        attempt = f"{self._clock.now_ns():x}"
        message = _shim_request(request, attempt, self._directories.path(request.id), bundle)
        await self._await_predecessor(request.id)
        directory = self._directories.make(request.id)
        for name in (EXIT, SHIM):
            discard(directory, name)
        write_json(directory, START, {"attempt": attempt, "cgroup": plan["cgroup"], "terminal": request.terminal})
        try:
            return await self._begin(message, plan)
        except BaseException:
            if request.id not in self._handles:
                self._directories.remove(request.id)
            raise

    async def _begin(self, message: dict[str, Any], plan: dict[str, Any]) -> ShimHandle:
        """Have a shim forked and wait for its first word."""
        # The plan by itself: the shim never sees it, only the forks that carry it out.
        memfd = wire.encode(plan)
        try:
            link = await self.launcher.request("foreign" if message["runtime"] else "shim", message, (memfd,))
        finally:
            os.close(memfd)
        first: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        connection = self._connect(message["id"], link, first)
        try:
            word = await first
        except BaseException:
            connection.close()
            raise
        if word["event"] == "prepared":
            handle = ShimHandle(connection, word, open_group(plan["cgroup"]), message["terminal"])
            self._handles[handle.id] = handle
            return handle
        connection.close()
        if word["event"] == "failed":
            raise StartFailed(word["message"], word["code"])
        await asyncio.to_thread(_remove_leftovers, open_group(plan["cgroup"]))
        raise StartFailed("failed to create task for container: the shim was killed while it started", 128)

    async def _await_predecessor(self, container_id: str) -> None:
        """The shim of the last run tells of the end before it has cleaned up."""
        handle = self._handles.get(container_id)
        if handle is not None:
            await handle.closed.wait()
        if container_id in self._cleaning:
            await asyncio.wait([self._cleaning[container_id]])

    def _connect(self, container_id: str, link: socket.socket, first: "asyncio.Future[Message] | None") -> Connection:
        def on_event(message: Message) -> None:
            if first is not None and not first.done():
                first.set_result(message)
            else:
                self._event(container_id, connection, message)

        def on_close() -> None:
            if first is not None and not first.done():
                first.set_result({"event": "closed"})
            else:
                self._closed(container_id, connection)

        connection = Connection(link, on_event=on_event, on_close=on_close)
        return connection

    # ------------------------------------------------------------------ after a restart

    async def adopt(self, container_id: str) -> ShimHandle | ExitRecord | None:
        found = await adopt.find(self._directories, container_id)
        if isinstance(found, adopt.Living):
            connection = self._connect(container_id, found.link, None)
            try:
                hello = await connection.call("hello")
                if hello["state"] == "running":
                    handle = ShimHandle(connection, hello, open_group(found.cgroup), found.terminal)
                    self._handles[container_id] = handle
                    heard = await connection.call("subscribe")
                    for exec_id, record in heard["ended"].items():
                        self._exec_ended(handle, exec_id, record)
                    return handle
            except ConnectionError:
                pass
            connection.close()
            found = await adopt.ended(self._directories, container_id)
        if found is None:
            return None
        if found.dead:
            await self._bury(container_id, open_group(found.cgroup), found.attempt)
            return ExitRecord(137, self._clock.now_ns(), error=SHIM_KILLED)
        for exec_id, record in found.execs.items():
            self._tell(Exited(container_id, exec_id, ExitRecord(record["exit_code"], record["finished_at"])))
        return found.record

    def known(self) -> Sequence[str]:
        return self._directories.ids()

    async def forget(self, container_id: str) -> None:
        await self._await_predecessor(container_id)
        await adopt.forget(self._directories, container_id)

    def on_exit(self, listener: Callable[[Exited], None]) -> None:
        self._exit_listeners.append(listener)

    def on_oom(self, listener: Callable[[str], None]) -> None:
        self._oom_listeners.append(listener)

    # ------------------------------------------------------------------ what shims say

    def _event(self, container_id: str, connection: Connection, message: Message) -> None:
        handle = self._handles.get(container_id)
        if handle is None or handle.connection is not connection:
            return
        kind = message["event"]
        if kind == "exit":
            self._container_ended(handle, message)
        elif kind == "exec":
            self._exec_ended(handle, message["exec_id"], message)
        elif kind == "oom":
            for listener in self._oom_listeners:
                listener(container_id)
        elif kind == "detached":
            handle.detached(message["client"])

    def _container_ended(self, handle: ShimHandle, message: Message) -> None:
        for exec_id, record in message["execs"].items():
            if exec_id not in handle.unacknowledged:
                self._tell_exec(handle, exec_id, record)
        handle.released = False
        self._tell(Exited(handle.id, "", adopt.record_of(message)))

    def _exec_ended(self, handle: ShimHandle, exec_id: str, record: Mapping[str, Any]) -> None:
        self._tell_exec(handle, exec_id, record)
        handle.unacknowledged.add(exec_id)
        self._supervisor.spawn(handle.acknowledge(exec_id), name=f"acknowledge exec {exec_id}")

    def _tell_exec(self, handle: ShimHandle, exec_id: str, record: Mapping[str, Any]) -> None:
        handle.execs.discard(exec_id)
        self._tell(Exited(handle.id, exec_id, ExitRecord(record["exit_code"], record["finished_at"])))

    def _closed(self, container_id: str, connection: Connection) -> None:
        """The connection ended: after an exit or an undone start that is the end; else the shim was killed."""
        handle = self._handles.get(container_id)
        if handle is None or handle.connection is not connection:
            return
        del self._handles[container_id]
        if handle.released:
            self._supervisor.spawn(self._shim_died(handle), name=f"bury container {container_id}")
        else:
            handle.ended()

    async def _shim_died(self, handle: ShimHandle) -> None:
        found = await adopt.ended(self._directories, handle.id)
        record = found.record if found is not None and not found.dead else None
        if record is None:
            await self._bury(handle.id, handle.group, handle.attempt)
            record = ExitRecord(137, self._clock.now_ns(), error=SHIM_KILLED)
        for exec_id in tuple(handle.execs):
            self._tell_exec(handle, exec_id, {"exit_code": 137, "finished_at": record.finished_at})
        handle.ended()
        self._tell(Exited(handle.id, "", record))

    async def _bury(self, container_id: str, group: Group, attempt: str) -> None:
        """Kill what a dead shim has left behind, and leave the record that it could not write. The cgroup goes later."""
        await asyncio.to_thread(group.kill)
        record = {"attempt": attempt, "exit_code": 137, "finished_at": self._clock.now_ns(), "oom_killed": False, "error": SHIM_KILLED}
        write_json(self._directories.make(container_id), EXIT, {**record, "execs": {}})
        task = self._supervisor.spawn(self._clean(container_id, group), name=f"remove cgroup of {container_id}")
        self._cleaning[container_id] = task

    async def _clean(self, container_id: str, group: Group) -> None:
        try:
            await asyncio.to_thread(group.remove)
        except OSError as error:
            _log.warning("cgroup of a dead shim: %s", error)
        finally:
            del self._cleaning[container_id]

    def _tell(self, exited: Exited) -> None:
        for listener in self._exit_listeners:
            listener(exited)


def _shim_request(request: StartRequest, attempt: str, directory: str, bundle: dict[str, Any]) -> dict[str, Any]:
    """Return what the shim is told. Raises StartFailed on log options that cannot be."""
    return {
        "id": request.id,
        "attempt": attempt,
        "directory": directory,
        "log": _log_plan(request),
        "terminal": request.terminal,
        "open_stdin": request.open_stdin,
        "stdin_once": request.stdin_once,
        "console_size": list(request.console_size),
        "preserved": dict(request.preserved),
        "runtime": request.runtime,
        "bundle": bundle,
    }


def _log_plan(request: StartRequest) -> dict[str, object]:
    log = request.log
    try:
        return shim_plan(log.driver, log.path, log.options, log.attributes, request.id)
    except TagError as error:
        raise StartFailed(f"failed to create task for container: failed to initialize logging driver: {error}", 128) from None


def _remove_leftovers(group: Group) -> None:
    group.kill()
    group.remove()
