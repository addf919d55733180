"""Health checks of running containers: `health` decides, `health_runner` keeps the time, here the probe is run."""

import asyncio
import os
import socket

import msgspec

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.engine.announce import Announcer
from argosy.engine.confinement import Confinement
from argosy.engine.container import Container, Exec
from argosy.engine.health import probe_of
from argosy.engine.health_runner import run_checks
from argosy.engine.model import ExecSpec, ExecState, Health, Status
from argosy.engine.spec import container_process, exec_process
from argosy.engine.store import ContainerStore
from argosy.runtime.model import AttachRequest, ExecRequest, StartFailed

OUTPUT_KEPT = 4096
SIGKILL = 9


class HealthWatch:
    def __init__(self, *, confinement: Confinement, store: ContainerStore, announce: Announcer, clock: Clock) -> None:
        self._confinement = confinement
        self._store = store
        self._announce = announce
        self._clock = clock

    def begin(self, container: Container) -> None:
        """Watch this run of the container; nothing when it has no check. The status starts over as ``starting``."""
        probe = probe_of(container.spec.config)
        if probe is None:
            return
        container.state = msgspec.structs.replace(container.state, health=Health())

        async def execute(command: tuple[str, ...], timeout: float) -> tuple[int, bytes]:
            return await self._run(container, command, timeout)

        def publish(health: Health, changed: bool) -> None:
            container.state = msgspec.structs.replace(container.state, health=health)
            if changed:
                self._announce(container, f"health_status: {health.status}")
                self._store.save_state_behind(container)

        checks = run_checks(
            probe,
            started_at_ns=container.state.started_at,
            clock=self._clock,
            execute=execute,
            publish=publish,
            paused=lambda: container.state.status is Status.PAUSED,
        )
        container.health_task = container.tasks.spawn(checks, name=f"health of {container.id[:12]}")

    async def _run(self, container: Container, command: tuple[str, ...], timeout: float) -> tuple[int, bytes]:
        """Run one probe in the container. Raises TimeoutError after killing it."""
        if container.shim is None:
            return 1, b"the container does not run"
        run = Exec(ExecSpec(id=ids.new_id(), container_id=container.id, cmd=command), ExecState(started=True, running=True))
        container.execs[run.spec.id] = run
        words = " ".join(command)
        self._announce(container, f"exec_create: {words}", execID=run.spec.id)
        own, theirs = socket.socketpair()
        pid = 0
        try:
            base = container_process(container.spec, self._confinement.inputs(container.spec))
            process = exec_process(container.spec, run.spec, base, self._confinement.capabilities(container.spec))
            request = ExecRequest(
                exec_id=run.spec.id,
                process=dict(process),
                terminal=False,
                console_size=(0, 0),
                privileged=False,
                attach=AttachRequest(stdin=False, stdout=True, stderr=True, multiplexed=False),
                # A probe whose daemon died has nobody to time it out.
                kill_on_disconnect=True,
            )
            async with asyncio.timeout(timeout):
                # A start that hangs is a probe that hangs: the cancellation ends it.
                pid = await container.shim.exec(request, theirs.fileno(), b"")
                self._announce(container, f"exec_start: {words}", execID=run.spec.id)
                theirs.close()
                output = await _read(own)
                await run.ended.wait()
            return run.state.exit_code or 0, output
        except StartFailed as error:
            return error.code, str(error).encode()
        except TimeoutError:
            if pid:
                _kill(pid)
            raise
        finally:
            own.close()
            theirs.close()
            container.execs.pop(run.spec.id, None)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, SIGKILL)
    except ProcessLookupError:
        pass


async def _read(own: socket.socket) -> bytes:
    """Return what the probe printed, cut at what is kept; the rest is read and dropped so that it does not block."""
    own.setblocking(False)
    loop, found = asyncio.get_running_loop(), bytearray()
    while chunk := await loop.sock_recv(own, 65536):
        found += chunk[: max(0, OUTPUT_KEPT + 1 - len(found))]
    return bytes(found)
