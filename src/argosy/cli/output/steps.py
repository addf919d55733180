"""A build's steps as they happen: stages side by side, the time of each step, and the last words of one that fails.

On a terminal the steps that run are redrawn below those that have ended; elsewhere (and with ``--progress plain``) everything is a
line with the step's number in front, output too, so that logs tell all.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TextIO

_INTERVAL = 0.1
_LAST_WORDS = 20


@dataclass(slots=True)
class _Step:
    name: str
    stage: str
    number: int
    total: int
    begun: float
    rest: str = ""
    """Of output, an unfinished line."""
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_WORDS))


class Steps:
    """Takes the ``vertex`` messages of ``POST /build``."""

    def __init__(self, stream: TextIO, *, live: bool, width: int = 80, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._live = live
        self._width = max(width, 20)
        self._clock = clock
        self._running: dict[str, _Step] = {}
        self._drawn = 0
        self._last = 0.0

    def show(self, vertex: Mapping[str, Any]) -> None:
        """Take one message."""
        key, state = str(vertex.get("id", "")), vertex.get("state")
        if state == "running":
            number, total = int(vertex.get("number", 0)), int(vertex.get("of", 0))
            step = _Step(str(vertex.get("name", "")), str(vertex.get("stage", "")), number, total, self._clock())
            self._running[key] = step
            if not self._live:
                self._line(f"#{step.number} {_title(step)}")
        elif key in self._running:
            if state == "output":
                self._output(self._running[key], str(vertex.get("output", "")))
            else:
                self._ended(self._running.pop(key), str(state), vertex)
        self._redraw()

    def close(self) -> None:
        """Take what is still drawn away: whatever runs no more is of no interest."""
        self._clear()
        self._stream.flush()

    def _output(self, step: _Step, text: str) -> None:
        *lines, step.rest = (step.rest + text).split("\n")
        for line in lines:
            line = line.rstrip("\r").rpartition("\r")[2]
            step.last.append(line)
            if not self._live:
                self._line(f"#{step.number} {self._clock() - step.begun:.2f} {line}")

    def _ended(self, step: _Step, state: str, vertex: Mapping[str, Any]) -> None:
        if step.rest:
            self._output(step, "\n")
        seconds = f"{float(vertex.get('seconds') or 0):.1f}s"
        if state == "failed":
            self._failed(step, seconds, vertex)
            return
        word = "CACHED" if state == "cached" else f"DONE {seconds}"
        if self._live:
            self._clear()
            self._line(
                f" => {'CACHED ' if state == 'cached' else ''}{_title(step)}".ljust(self._width - 9)[: self._width - 9] + seconds.rjust(8)
            )
        else:
            self._line(f"#{step.number} {word}")

    def _failed(self, step: _Step, seconds: str, vertex: Mapping[str, Any]) -> None:
        self._clear()
        self._line(f" => ERROR {_title(step)}  {seconds}" if self._live else f"#{step.number} ERROR {seconds}")
        if self._live and step.last:
            self._line("------\n > " + _title(step) + ":")
            for line in step.last:
                self._line(line)
            self._line("------")
        if vertex.get("file"):
            self._line(f"{vertex['file']}:{vertex.get('line')}: {step.name}")

    def _redraw(self) -> None:
        now = self._clock()
        if not self._live or (self._drawn and now - self._last < _INTERVAL):
            return
        self._last = now
        self._clear()
        for step in self._running.values():
            self._row(_title(step), f"{now - step.begun:.1f}s")
            self._drawn += 1
            if step.last:
                self._line(f" => => {step.last[-1]}"[: self._width - 1])
                self._drawn += 1
        self._stream.flush()

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _row(self, text: str, seconds: str) -> None:
        room = self._width - 9
        self._line(f" => {text}".ljust(room)[:room] + seconds.rjust(8))

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")


def _title(step: _Step) -> str:
    return f"[{step.stage} {step.number}/{step.total}] {step.name}"
