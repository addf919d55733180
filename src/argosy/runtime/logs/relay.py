"""The shim's side of a driver that sends its log to a server: a copy in files for ``docker logs``, and a pipe to the sender.

Who waits for a server that is slow or gone: in the mode ``blocking`` (the default, as in Docker) the program, as soon as the
pipe and `BOUND` are full, and only for as long as the driver keeps trying; with ``non-blocking``, and for ``fluentd-async``,
nobody: what does not fit into ``max-buffer-size`` is dropped and counted. The shim itself never waits.
"""

import _signal as signal  # type: ignore[import-not-found]
import fcntl
import os

from argosy.runtime.logs.lines import Lines
from argosy.runtime.logs.local import frames
from argosy.runtime.logs.sender import END_SECONDS, run
from argosy.runtime.logs.sizes import parse_size
from argosy.runtime.logs.stamps import Stamps
from argosy.runtime.shim.loop import OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from argosy.runtime.logs.rotate import Forker, RotatingFile
    from argosy.runtime.shim.loop import Loop

BOUND = 64 * 1024
_PIPE_SIZE = 1 << 20
_DEFAULT_BUFFER = "1m"


class Relay:
    """`open.Writer`. The sender is made by the first output, and made again if it was killed."""

    def __init__(self, plan: "Mapping[str, Any]", *, copy: "RotatingFile | None", fork: "Forker", loop: "Loop") -> None:
        options = plan.get("options") or {}
        self._plan, self._copy, self._fork, self._loop = plan, copy, fork, loop
        self.drained: Callable[[], None] = _nobody
        """Called when `full` is no longer so."""
        self._patient = options.get("mode", "") != "non-blocking" and not eager(plan)
        self._bound = BOUND if self._patient else parse_size(_buffer(options))
        self._stamps = Stamps()
        self._lines = {1: Lines(), 2: Lines()}
        self._queue: list[bytes] = []
        self._queued = 0
        self._pipe = -1
        self._armed = False
        self._dropped = 0

    @property
    def full(self) -> bool:
        """Whether the program has to wait."""
        return self._patient and self._queued > self._bound

    @property
    def lost(self) -> int:
        return self._dropped + (self._copy.lost if self._copy is not None else 0)

    def write(self, stream: int, data: bytes) -> None:
        for partial, text in self._lines[stream].feed(data):
            self._record(stream, partial, text)
        self._pump()

    def unrecorded(self, stream: int) -> bytes:
        return self._lines[stream].held if self._copy is not None else b""

    def end(self, stream: int) -> None:
        for partial, text in self._lines[stream].end():
            self._record(stream, partial, text)
        self._pump()

    def close(self) -> None:
        """Give the sender what it is still to have: a little process more writes it, since the shim is about to end."""
        if self._queue:
            self._leave_rest()
        self._drop_pipe()
        if self._copy is not None:
            self._copy.close()

    def _record(self, stream: int, partial: bool, text: bytes) -> None:
        for record in frames(stream, partial, text, self._stamps):
            if self._copy is not None:
                self._copy.append(record)
            if not self._patient and self._queued + len(record) > self._bound:
                self._dropped += len(record)
                continue
            self._queue.append(record)
            self._queued += len(record)

    def _pump(self) -> None:
        was_full = self.full
        if self._queue and self._pipe < 0 and not self._begin():
            return
        try:
            while self._queue:
                written = os.write(self._pipe, self._queue[0])
                self._queued -= written
                if written == len(self._queue[0]):
                    del self._queue[0]
                else:
                    self._queue[0] = self._queue[0][written:]
        except BlockingIOError:
            pass
        except OSError:
            # The sender was killed. It may have had half of a frame, which the next one could not read.
            self._dropped += self._queued
            self._queue, self._queued = [], 0
            self._drop_pipe()
        self._arm()
        if was_full and not self.full:
            self.drained()

    def _arm(self) -> None:
        wanted = bool(self._queue) and self._pipe >= 0
        if wanted and not self._armed:
            self._loop.add(self._pipe, OUT, lambda events: self._pump())
        elif self._armed and not wanted:
            self._loop.remove(self._pipe)
        self._armed = wanted

    def _begin(self) -> bool:
        """Make the sender; False: there is no process or fd to be had now, the next output tries again."""
        try:
            read, write = os.pipe2(os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        except OSError:
            pass  # over the user's share of pipe memory (pipe(7)): the program waits earlier
        os.set_blocking(write, False)
        try:
            self._fork(lambda: run(read, self._plan), _ended, read)
        except OSError:
            os.close(write)
            return False
        finally:
            os.close(read)
        self._pipe = write
        return True

    def _leave_rest(self) -> None:
        rest, pipe = b"".join(self._queue), self._pipe
        if pipe < 0:
            return
        os.set_blocking(pipe, True)
        try:
            self._fork(lambda: _write_rest(pipe, rest), _ended, pipe)
        except OSError:
            self._dropped += len(rest)

    def _drop_pipe(self) -> None:
        if self._pipe >= 0:
            if self._armed:
                self._loop.remove(self._pipe)
                self._armed = False
            os.close(self._pipe)
            self._pipe = -1


def _buffer(options: "Mapping[str, str]") -> str:
    return options.get("max-buffer-size") or options.get("fluentd-buffer-limit") or _DEFAULT_BUFFER


def eager(plan: "Mapping[str, Any]") -> bool:
    """Return whether the driver's own options say that the program never waits."""
    options = plan.get("options") or {}
    return plan["driver"] == "fluentd" and options.get("fluentd-async", "") in ("1", "t", "T", "true", "TRUE", "True")


def _write_rest(fd: int, data: bytes) -> None:
    """For as long as the sender would go on trying after its end, no longer (alarm(2) ends the process)."""
    signal.alarm(int(END_SECONDS))
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _ended(status: int) -> None:
    """The next output finds the pipe broken."""


def _nobody() -> None:
    """Nobody waits."""
