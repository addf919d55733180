"""A launcher as the daemon sees it: started when first needed, replaced when it died, ended by closing the socket."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Sequence
from typing import Any

from argosy.base.errors import SystemFailureError
from argosy.linux.memory import KEEP
from argosy.runtime.launcher.command import command
from argosy.runtime.shim import wire

_ATTEMPTS = 8


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
                process, link = await asyncio.to_thread(self._spawn)
                self._process, self._socket = process, link
                self._watch(process)

    async def request(self, verb: str, message: dict[str, Any], fds: Sequence[int] = ()) -> socket.socket:
        """Have a fresh fork do the request; return our end of its control connection (non-blocking) when it has taken it.

        A request that a dying launcher had not passed on is given to the next. Raises SystemFailureError when none stays alive.
        """
        memfd = wire.encode(message)
        try:
            for _ in range(_ATTEMPTS):
                await self.start()
                used = self._process
                link = await self._ask(verb, (memfd, *fds))
                if link is not None:
                    return link
                self._lost(used)
        finally:
            os.close(memfd)
        raise SystemFailureError("the launcher does not stay alive; see " + self._log_path)

    async def _ask(self, verb: str, fds: Sequence[int]) -> socket.socket | None:
        """Return the control connection, None if nobody took the request."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        ours.setblocking(False)
        try:
            with theirs:
                sent = await self._send(verb, (fds[0], theirs.fileno(), *fds[1:]))
            if sent and await asyncio.get_running_loop().sock_recv(ours, len(wire.TAKEN)) == wire.TAKEN:
                return ours
        except ConnectionError:
            pass
        except BaseException:
            ours.close()
            raise
        ours.close()
        return None

    def dismiss(self) -> None:
        """Let it end; shims and workers that run go on."""
        self._lost(self._process)

    async def close(self) -> None:
        """Let it end and wait until it has."""
        process = self._process
        self._lost(process)
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

    def _spawn(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        log = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # Own session: signals to the daemon's terminal group are not for it. No environment but what Python needs.
            process = subprocess.Popen(
                self._arguments,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={"PATH": os.defpath, **KEEP},
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
        return process, ours

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """Notice its death at once, and reap it."""
        loop = asyncio.get_running_loop()
        pidfd = os.pidfd_open(process.pid)

        def ended() -> None:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            process.wait()
            self._lost(process)

        loop.add_reader(pidfd, ended)

    def _lost(self, process: "subprocess.Popen[bytes] | None") -> None:
        """Forget that launcher, unless another has taken its place already."""
        if self._process is process and self._socket is not None:
            self._socket.close()
            self._socket = self._process = None


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
