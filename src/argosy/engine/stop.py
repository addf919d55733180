"""Stopping, killing, restarting and pausing.

Nothing here holds the container's lock while it waits for a program to end: a kill or a removal must get through.
"""

import asyncio

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError, NotModifiedError, SystemFailureError
from argosy.engine import lifecycle
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.model import Status
from argosy.engine.ports import Shim
from argosy.engine.settings import EngineSettings
from argosy.engine.start import Starter
from argosy.engine.store import ContainerStore
from argosy.linux.signals import parse_signal
from argosy.runtime.model import ExitRecord

SIGKILL, SIGTERM, SIGCONT = 9, 15, 18


def policy_of(container: Container) -> lifecycle.Policy:
    return lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove, container.attempt_delay)


def signal_number(text: str) -> int:
    """Return the number of ``SIGTERM``, ``TERM`` or ``15``. Raises InvalidParameterError ``invalid signal: x``."""
    try:
        return parse_signal(text)
    except ValueError as error:
        raise InvalidParameterError(f"invalid signal: {text}") from error


class Stopper:
    def __init__(self, *, store: ContainerStore, starter: Starter, settings: EngineSettings, announce: Announcer) -> None:
        self._store = store
        self._starter = starter
        self._settings = settings
        self._announce = announce

    async def stop(self, container: Container, *, timeout: int | None, signal: str) -> None:
        """Ask the program to end, kill it after the grace period (seconds; -1: never). Raises NotModifiedError."""
        number = signal_number(signal or container.spec.config.stop_signal or "SIGTERM")
        if container.state.status is Status.RESTARTING and await self._stop_restarting(container):
            return
        if not container.running:
            raise NotModifiedError("container already stopped")
        container.state, _ = lifecycle.decide(container.state, policy_of(container), lifecycle.StopAsked())
        saved = asyncio.ensure_future(self._store.save_state(container))
        try:
            await self._end(container, number, self._grace(container, timeout))
        finally:
            await saved
        self._announce(container, "stop")

    async def _stop_restarting(self, container: Container) -> bool:
        """Give up the restart; False when its start was under way already and the program runs now."""
        async with container.lock:
            if container.state.status is not Status.RESTARTING:
                return not container.running
            if container.restart_timer is not None:
                container.restart_timer.cancel()
                container.restart_timer = None
            container.state, _ = lifecycle.decide(container.state, policy_of(container), lifecycle.StopAsked())
            await self._store.save_state(container)
        container.tell_exit()
        self._announce(container, "stop")
        return True

    def _grace(self, container: Container, timeout: int | None) -> float | None:
        if timeout is None:
            timeout = container.spec.config.stop_timeout
        if timeout is None:
            timeout = self._settings.stop_timeout
        return None if timeout < 0 else float(timeout)

    async def _end(self, container: Container, number: int, grace: float | None) -> None:
        ended = container.next_exit()
        shim = _shim(container)
        self._signal(container, shim, number)
        if container.state.status is Status.PAUSED:
            # A frozen process takes no signal; SIGKILL included on cgroup v1.
            await shim.resume()
        if number != SIGKILL and not await _within(ended, grace):
            self._signal(container, shim, SIGKILL)
        if not await _within(ended, 10.0 if grace is None else grace + 10.0):
            shim.kill_all()
            if not await _within(ended, 10.0):
                raise SystemFailureError(f"cannot stop container: {container.id}: its processes do not end (tried SIGKILL)")

    def _signal(self, container: Container, shim: Shim, number: int) -> None:
        try:
            shim.signal(number)
        except NotFoundError:
            # It has ended this moment, by another client's doing perhaps: what was asked for is so, and its exit is on the way.
            return
        self._announce(container, "kill", signal=str(number))

    async def kill(self, container: Container, *, signal: str) -> None:
        """Send a signal; SIGKILL waits until the container has ended. Raises ConflictError when it does not run."""
        number = signal_number(signal or "SIGKILL")
        if not container.running:
            raise ConflictError(f"cannot kill container: {container.name}: container {container.id} is not running")
        shim = _shim(container)
        if number in (SIGKILL, signal_number(container.spec.config.stop_signal or "SIGTERM")):
            container.state, _ = lifecycle.decide(container.state, policy_of(container), lifecycle.StopAsked())
            self._store.save_state_behind(container)
        ended = container.next_exit()
        self._signal(container, shim, number)
        if number == SIGKILL:
            if container.state.status is Status.PAUSED:
                await shim.resume()
            if not await _within(ended, 10.0):
                shim.kill_all()
                await _within(ended, 10.0)
        elif number != SIGCONT and container.state.status is Status.PAUSED:
            await shim.resume()
            await shim.pause()

    async def restart(self, container: Container, *, timeout: int | None, signal: str) -> None:
        """Stop it if it runs, and start it; ``--rm`` does not remove it in between."""
        if container.running or container.state.status is Status.RESTARTING:
            container.keep = True
            try:
                await self.stop(container, timeout=timeout, signal=signal)
                await self._starter.start(container)
            finally:
                container.keep = False
        else:
            await self._starter.start(container)
        self._announce(container, "restart")

    async def pause(self, container: Container) -> None:
        """Freeze all its processes. Raises ConflictError in Docker's words."""
        async with container.lock:
            if container.state.status is Status.PAUSED:
                raise ConflictError(f"Container {container.id} is already paused")
            if container.state.status is not Status.RUNNING:
                raise ConflictError(f"container {container.id} is not running")
            await _shim(container).pause()
            container.state, _ = lifecycle.decide(container.state, policy_of(container), lifecycle.Paused())
        self._store.save_state_behind(container)
        self._announce(container, "pause")

    async def unpause(self, container: Container) -> None:
        async with container.lock:
            if container.state.status is not Status.PAUSED:
                raise ConflictError(f"Container {container.id} is not paused")
            await _shim(container).resume()
            container.state, _ = lifecycle.decide(container.state, policy_of(container), lifecycle.Resumed())
        self._store.save_state_behind(container)
        self._announce(container, "unpause")


def _shim(container: Container) -> Shim:
    if container.shim is None:
        raise ConflictError(f"container {container.id} is not running")
    return container.shim


async def _within(ended: "asyncio.Future[ExitRecord]", seconds: float | None) -> bool:
    """Return whether the future ends in time; it is not cancelled."""
    done, _ = await asyncio.wait([ended], timeout=seconds)
    return bool(done)
