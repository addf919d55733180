"""A launcher as the daemon sees it: started when first needed, replaced when it died, ended by closing the socket."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Sequence
from typing import Any

from argosy.base.errors import SystemFailureError
from argosy.runtime.launcher.command import command
from argosy.runtime.shim import wire

_ATTEMPTS = 3


class Launcher:
    def __init__(self, *, daemon_id: str, log_path: str, paths: Sequence[str] = (), preload: str = "") -> None:
        self._arguments = command(daemon_id, tuple(paths), preload)
        self._log_path = log_path
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The launcher's pid, 0 when none runs."""
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        """Start it, if it does not run."""
        async with self._lock:
            if self._socket is None:
                await asyncio.to_thread(self._spawn)
                self._watch()

    async def request(self, verb: str, message: dict[str, Any], fds: Sequence[int] = ()) -> socket.socket:
        """Have a fresh fork do the request; return our end of its control connection (non-blocking).

        Raises SystemFailureError when no launcher can be had.
        """
        memfd = wire.encode(message)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            for _ in range(_ATTEMPTS):
                await self.start()
                if await self._send(verb, (memfd, theirs.fileno(), *fds)):
                    ours.setblocking(False)
                    return ours
                self._lost()
        except BaseException:
            ours.close()
            raise
        finally:
            os.close(memfd)
            theirs.close()
        ours.close()
        raise SystemFailureError("the launcher does not stay alive; see " + self._log_path)

    def dismiss(self) -> None:
        """Let it end; shims and workers that run go on."""
        self._lost()

    async def close(self) -> None:
        """Let it end and wait until it has."""
        process = self._process
        self._lost()
        if process is not None:
            await asyncio.to_thread(process.wait)

    async def _send(self, verb: str, fds: Sequence[int]) -> bool:
        link = self._socket
        if link is None:
            return False
        packet, _ = wire.pack({"v": wire.VERSION, "verb": verb})
        while True:
            try:
                wire.send_packet(link, packet, fds)
                return True
            except BlockingIOError:
                # More starts at once than the socket holds: wait for room.
                await self._writable(link)
                if self._socket is not link:
                    return False
            except OSError:
                return False

    async def _writable(self, link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        copy = os.dup(link.fileno())
        loop.add_writer(copy, _settle, ready)
        try:
            await ready
        finally:
            loop.remove_writer(copy)
            os.close(copy)

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        log = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # Own session: signals to the daemon's terminal group are not for it. No environment but what Python needs.
            self._process = subprocess.Popen(
                self._arguments,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={"PATH": os.defpath},
                start_new_session=True,
                cwd="/",
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(log)
        ours.setblocking(False)
        self._socket = ours

    def _watch(self) -> None:
        """Notice its death at once, and reap it."""
        process = self._process
        assert process is not None
        loop = asyncio.get_running_loop()
        pidfd = os.pidfd_open(process.pid)

        def ended() -> None:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            process.wait()
            if self._process is process:
                self._lost()

        loop.add_reader(pidfd, ended)

    def _lost(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._process = None


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
