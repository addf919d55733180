"""The daemon's side of netd: find it or start it, ask it, and know at once when it died."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from argosy.base.errors import SystemFailureError, UnavailableError
from argosy.network.netd import wire

_log = logging.getLogger(__name__)

_PATIENCE = 10.0
_NAME = "netd"


class NetdClient:
    """``on_loss`` is called when netd goes away while it is in use (not by `close`)."""

    def __init__(self, *, directory: str, on_loss: Callable[[], None]) -> None:
        self._directory = directory
        self._on_loss = on_loss
        self._sock: socket.socket | None = None
        self._receiver = wire.Receiver()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._outgoing: list[tuple[bytearray, list[int]]] = []
        self._sequence = 0
        self._child: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def connected(self) -> bool:
        return self._sock is not None

    async def start(self) -> dict[str, Any]:
        """Connect to the netd that this daemon's predecessor left, or to a new one; return what it holds (``hello``).

        Raises UnavailableError when none can be had.
        """
        for _attempt in range(5):
            try:
                await asyncio.to_thread(self._reach)
            except (OSError, subprocess.SubprocessError) as error:
                raise UnavailableError(f"netd does not start: {error}") from error
            assert self._sock is not None
            asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)
            try:
                hello = await self.call("hello")
                if hello["version"] == wire.VERSION:
                    self.pid = hello["pid"]
                    return hello
                # An older daemon's: it cannot be told what we know. What it holds is made anew in its successor.
                await self.call("stop")
            except UnavailableError:
                # It was just ending when it was called.
                continue
            finally:
                if not self.pid:
                    self.close()
        raise UnavailableError("netd does not start: it goes away as soon as it is called")

    async def call(self, op: str, fds: Sequence[int] = (), /, **fields: Any) -> dict[str, Any]:
        """Ask and return the answer. Raises SystemFailureError with netd's reason, UnavailableError when it is gone.

        The descriptors are sent with the request; the caller keeps its own copies, and closes them when this returns.
        """
        if self._sock is None:
            raise UnavailableError("netd is not there")
        self._sequence += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._sequence] = future
        data = wire.encode({"op": op, "seq": self._sequence, **fields}, len(fds))
        self._outgoing.append((bytearray(data), [os.dup(fd) for fd in fds]))
        self._flush()
        answer = await future
        if "error" in answer:
            raise SystemFailureError(f"netd: {op}: {answer['error']}")
        return answer

    def close(self) -> None:
        """Hang up; netd goes on."""
        if self._sock is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._sock.fileno())
            loop.remove_writer(self._sock.fileno())
            self._sock.close()
            self._sock = None
        self._receiver.close()
        self._receiver = wire.Receiver()
        for _, fds in self._outgoing:
            for fd in fds:
                os.close(fd)
        self._outgoing.clear()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(UnavailableError("netd went away"))
        self._waiting.clear()
        self.reap()

    def reap(self) -> None:
        """Collect the exit status of a netd that we started and that ended."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    # ------------------------------------------------------------------ connecting; in a thread

    def _reach(self) -> None:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        where = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for _attempt in range(3):
                sock = self._dial(where)
                if sock is not None:
                    self._sock = sock
                    return
                self._spawn()
        finally:
            os.close(where)
        raise OSError("no answer on its socket")

    @staticmethod
    def _dial(where: int) -> socket.socket | None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            sock.connect(wire.reach(where, _NAME + ".sock"))
        except OSError:
            sock.close()
            return None
        sock.setblocking(False)
        return sock

    def _spawn(self) -> None:
        script = os.path.join(os.path.dirname(__file__), "__main__.py")
        log = os.open(os.path.join(self._directory, _NAME + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            child = subprocess.Popen(
                [sys.executable, "-I", "-S", script, self._directory, _NAME],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            )
        finally:
            os.close(log)
        assert child.stdout is not None
        with child.stdout:
            word = child.stdout.readline().strip()
        if word == b"taken":
            # Another one holds the lock: it is about to listen, or about to end.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE)
        elif word != b"ready":
            child.kill()
            child.wait()
            raise OSError(f"it ended with status {child.returncode}; see {self._directory}/{_NAME}.log")
        else:
            self._child = child

    # ------------------------------------------------------------------ the conversation; in the loop

    def _flush(self) -> None:
        if self._sock is None:
            return
        loop = asyncio.get_running_loop()
        while self._outgoing:
            data, fds = self._outgoing[0]
            try:
                sent = self._sock.sendmsg([data], wire.rights(fds))
            except BlockingIOError:
                loop.add_writer(self._sock.fileno(), self._flush)
                return
            except OSError:
                self._lost()
                return
            for fd in fds:
                os.close(fd)
            fds.clear()
            del data[:sent]
            if not data:
                self._outgoing.pop(0)
        loop.remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            messages = self._receiver.read(self._sock)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            messages = None
        if messages is None:
            self._lost()
            return
        for answer, _ in messages:
            future = self._waiting.pop(answer.get("seq"), None)
            if future is not None and not future.done():
                future.set_result(answer)

    def _lost(self) -> None:
        known, self.pid = self.pid, 0
        self.close()
        if known:
            _log.warning("netd (process %d) went away", known)
            self._on_loss()
