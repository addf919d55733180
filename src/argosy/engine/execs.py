"""Processes run beside a container's own: made, started in the shim, ended, asked about, killed.

An exec lives in memory as long as its container runs; its exit code is asked for after its end, so ended ones are kept
until the container ends or the hundredth newer one pushes them out.
"""

import asyncio
import os

import msgspec

from argosy.base import ids
from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.engine import networking
from argosy.engine.announce import Announcer
from argosy.engine.attach import Connection, detach_keys
from argosy.engine.confinement import Confinement
from argosy.engine.container import Container, Exec
from argosy.engine.model import ExecSpec, ExecState, Status
from argosy.engine.ports import Shim
from argosy.engine.registry import Registry
from argosy.engine.spec import container_process, exec_process
from argosy.engine.stop import signal_number
from argosy.runtime.model import AttachRequest, ExecRequest, ExitRecord, StartFailed

KEPT = 100
_KILLED = 137


class ExecEnds:
    """What the end of a process means to its exec."""

    def __init__(self, announce: Announcer) -> None:
        self._announce = announce

    def ended(self, container: Container, exec_id: str, record: ExitRecord) -> None:
        run = container.execs.get(exec_id)
        if run is None or not run.state.running:
            return
        run.state = msgspec.structs.replace(run.state, running=False, exit_code=record.exit_code, pid=0, can_remove=True)
        run.ended.set()
        container.generation += 1
        self._announce(container, "exec_die", execID=exec_id, exitCode=str(record.exit_code))

    def all_ended(self, container: Container) -> None:
        """The container's end is the end of all its execs."""
        for run in container.execs.values():
            if run.state.running:
                run.state = msgspec.structs.replace(run.state, running=False, exit_code=137, pid=0, can_remove=True)
            run.ended.set()


class Execs:
    """Implements `argosy.api.ports.Execs`."""

    def __init__(self, *, registry: Registry, confinement: Confinement, announce: Announcer) -> None:
        self._registry = registry
        self._confinement = confinement
        self._announce = announce
        self._owners: dict[str, str] = {}
        """Exec id → container id."""

    async def create(self, ref: str, spec: ExecSpec) -> str:
        container = self._registry.find(ref)
        _check_running(container, ref)
        if not spec.cmd:
            raise InvalidParameterError("No exec command specified")
        made = msgspec.structs.replace(spec, id=ids.new_id(), container_id=container.id)
        self._forget_oldest(container)
        container.execs[made.id] = Exec(made)
        self._owners[made.id] = container.id
        container.generation += 1
        self._announce(container, f"exec_create: {' '.join(made.cmd)}", execID=made.id)
        return made.id

    def _forget_oldest(self, container: Container) -> None:
        ended = [exec_id for exec_id, run in container.execs.items() if run.state.started and not run.state.running]
        for exec_id in ended[: max(0, len(container.execs) - KEPT)]:
            del container.execs[exec_id]
            self._owners.pop(exec_id, None)

    async def start(
        self, exec_id: str, *, detach: bool, tty: bool, console_size: tuple[int, int] | None, connection: Connection | None
    ) -> None:
        """Run it; attached, return when its streams have ended. Raises NotFoundError, ConflictError, or what a start raises.

        Whether the streams are framed is for the start's ``tty`` to say, not the exec's (moby ``postContainerExecStart``).
        """
        container, run = self._find(exec_id)
        if run.state.started:
            raise ConflictError(
                f"Error: Exec command {exec_id} is already running" if run.state.running else f"exec {exec_id} has already run"
            )
        _check_running(container, container.name)
        shim = container.shim
        if shim is None:
            raise ConflictError(f"container {container.id} is not running")
        await self._confinement.ready(container.spec)
        spec = msgspec.structs.replace(run.spec, console_size=console_size or run.spec.console_size)
        run.spec, run.state = spec, msgspec.structs.replace(run.state, started=True, running=True)
        attach, sock, first = None, None, b""
        if not detach and connection is not None:
            attach = AttachRequest(
                stdin=spec.attach_stdin,
                stdout=spec.attach_stdout,
                stderr=spec.attach_stderr and not spec.tty,
                detach_keys=detach_keys(spec.detach_keys),
                multiplexed=not tty,
            )
            sock, first = await connection.take(multiplexed=not tty)
        self._announce(container, f"exec_start: {' '.join(spec.cmd)}", execID=exec_id)
        try:
            await self._run(container, shim, run, attach, sock, first)
        finally:
            if sock is not None:
                os.close(sock)

    async def _run(self, container: Container, shim: Shim, run: Exec, attach: AttachRequest | None, sock: int | None, first: bytes) -> None:
        spec = run.spec
        capabilities = self._confinement.capabilities(container.spec, privileged=spec.privileged)
        request = ExecRequest(
            exec_id=spec.id,
            process=self._process(container, spec, capabilities),
            terminal=spec.tty,
            console_size=spec.console_size or (0, 0),
            privileged=spec.privileged,
            attach=attach,
        )
        try:
            pid = await shim.exec(request, sock, first)
        except asyncio.CancelledError:
            # Whoever asked has left, and the shim ends what it began (`Shim.exec`).
            self._not_begun(container, run, _KILLED)
            raise
        except StartFailed as error:
            self._not_begun(container, run, error.code)
            if sock is None:
                raise InvalidParameterError(str(error)) from error
            os.write(sock, _last_words(str(error), multiplexed=attach is not None and attach.multiplexed))
            return
        if run.state.running:
            run.state = msgspec.structs.replace(run.state, pid=pid)
        container.generation += 1

    def _not_begun(self, container: Container, run: Exec, code: int) -> None:
        run.state = ExecState(started=True, running=False, exit_code=code, can_remove=True)
        run.ended.set()
        self._announce(container, "exec_die", execID=run.spec.id, exitCode=str(code))

    def _process(self, container: Container, spec: ExecSpec, capabilities: tuple[str, ...]) -> dict[str, object]:
        links = networking.link_environment(container.spec, self._registry)
        base = container_process(container.spec, self._confinement.inputs(container.spec, env=links))
        return dict(exec_process(container.spec, spec, base, capabilities))

    async def resize(self, exec_id: str, rows: int, columns: int) -> None:
        container, run = self._find(exec_id)
        if container.shim is None or not run.state.running:
            raise ConflictError(f"Exec {exec_id} is not running")
        await container.shim.resize(exec_id, rows, columns)

    def inspect(self, exec_id: str) -> tuple[ExecSpec, ExecState]:
        _, run = self._find(exec_id)
        return run.spec, run.state

    def list_(self, ref: str) -> list[tuple[ExecSpec, ExecState]]:
        return [(run.spec, run.state) for run in self._registry.find(ref).execs.values()]

    async def kill(self, exec_id: str, signal: str) -> None:
        """Send a signal to the exec's process, or end its start. Raises ConflictError when it does not run."""
        number = signal_number(signal or "SIGKILL")
        container, run = self._find(exec_id)
        if container.shim is None or not run.state.running:
            raise ConflictError(f"Exec {exec_id} is not running")
        try:
            await container.shim.signal_exec(exec_id, number)
        except NotFoundError as error:
            raise ConflictError(f"Exec {exec_id} is not running") from error

    def _find(self, exec_id: str) -> tuple[Container, Exec]:
        container = self._registry.get(self._owners.get(exec_id, ""))
        if container is None or exec_id not in container.execs:
            raise NotFoundError(f"No such exec instance: {exec_id}")
        return container, container.execs[exec_id]


def _check_running(container: Container, ref: str) -> None:
    match container.state.status:
        case Status.RUNNING:
            return
        case Status.PAUSED:
            raise ConflictError(f"Container {ref} is paused, unpause the container before exec")
        case Status.RESTARTING:
            raise ConflictError(f"Container {container.id} is restarting, wait until the container is running")
    raise ConflictError(f"container {container.id} is not running")


def _last_words(message: str, *, multiplexed: bool) -> bytes:
    """Return what an attached client reads when the program could not be started, as dockerd writes it to stdout."""
    text = message.encode() + b"\r\n"
    return b"\x01\x00\x00\x00" + len(text).to_bytes(4, "big") + text if multiplexed else text
