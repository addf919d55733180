"""Progress of pulls, pushes, loads, saves and imports.

On a terminal each part has a line that is rewritten, with bytes and speed; elsewhere only the end of each part is a line, so that
logs stay readable and two runs print the same.
"""

from __future__ import annotations

import time

from argosy.cli.output import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO, Any, TextIO

# More often is only flicker.
_INTERVAL = 0.1
_PIECE = 1 << 18
_FINAL = frozenset(
    ("Pull complete", "Already exists", "Download complete", "Pushed", "Layer already exists", "Mounted from", "Verifying Checksum")
)


class Speed:
    """Bytes a second, smoothed over the last seconds."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._bytes = 0
        self._rate = 0.0

    def update(self, now: float, count: int) -> float:
        """Take the count so far and return the rate."""
        passed = now - self._at
        if passed >= 0.25:
            fresh = (count - self._bytes) / passed
            self._rate = fresh if not self._rate else 0.7 * self._rate + 0.3 * fresh
            self._at, self._bytes = now, count
        return self._rate


class Transfers:
    """Shows the documents of a progress stream (``id``, ``status``, ``progressDetail``)."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str], *, quiet: bool = False) -> None:
        self._stream = stream
        self._live = stream.isatty() and environ.get("TERM") != "dumb"
        self._quiet = quiet
        self._order: list[str] = []
        self._text: dict[str, str] = {}
        self._speeds: dict[str, Speed] = {}
        self._drawn = 0
        self._last = 0.0

    def __enter__(self) -> Transfers:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._live and not self._quiet:
            self._draw()

    def show(self, event: Mapping[str, Any]) -> None:
        """Take one document."""
        if self._quiet or "aux" in event:
            return
        if "stream" in event:
            self._plain(str(event["stream"]).rstrip("\n"))
        elif not event.get("id"):
            self._plain(str(event.get("status", "")))
        else:
            self._part(str(event["id"]), event)

    def _plain(self, text: str) -> None:
        if not text:
            return
        if self._live:
            self._draw()
            self._order, self._text, self._drawn = [], {}, 0
        self._stream.write(text + "\n")
        self._stream.flush()

    def _part(self, name: str, event: Mapping[str, Any]) -> None:
        status = str(event.get("status", ""))
        if not self._live:
            if any(status.startswith(final) for final in _FINAL) or (not event.get("progressDetail") and name not in self._text):
                self._text[name] = status
                if status not in ("Pulling fs layer", "Waiting", "Preparing"):
                    self._stream.write(f"{name}: {status}\n")
                    self._stream.flush()
            return
        if name not in self._text:
            self._order.append(name)
        self._text[name] = status + self._detail(name, event.get("progressDetail") or {})
        now = time.monotonic()
        if now - self._last >= _INTERVAL:
            self._last = now
            self._draw()

    def _detail(self, name: str, detail: Mapping[str, Any]) -> str:
        current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
        if not current:
            self._speeds.pop(name, None)
            return ""
        now = time.monotonic()
        rate = self._speeds.setdefault(name, Speed(now)).update(now, current)
        return "  " + amount(current, total, rate)

    def _draw(self) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        width = human_width(self._stream)
        lines = "".join(f"\x1b[2K{f'{name}: {self._text[name]}'[:width]}\n" for name in self._order)
        self._stream.write(up + lines)
        self._stream.flush()
        self._drawn = len(self._order)


def human_width(stream: TextIO) -> int:
    import os

    try:
        return max(20, os.get_terminal_size(stream.fileno()).columns - 1)
    except (OSError, ValueError):
        return 79


def amount(current: int, total: int, rate: float) -> str:
    """Return ``12.3MB/80MB  15%  9.1MB/s  7 seconds left``, as far as it is known."""
    parts = [f"{human.size(current)}/{human.size(total)}  {min(100, current * 100 // total)}%" if total else human.size(current)]
    if rate:
        parts.append(f"{human.size(rate, 3)}/s")
        if total > current:
            parts.append(f"{human.span((total - current) / rate).lower()} left")
    return "  ".join(parts)


class Bytes:
    """One line that tells how many bytes have gone by; nothing where no terminal is attached."""

    def __init__(self, label: str, total: int, stream: TextIO, *, quiet: bool = False) -> None:
        self._label = label
        self._total = total
        self._stream = stream
        self._live = stream.isatty() and not quiet
        self._count = 0
        self._last = 0.0
        self._speed = Speed(time.monotonic())
        self._shown = False

    def add(self, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if self._live and now - self._last >= _INTERVAL:
            self._last = now
            self._write(amount(self._count, self._total, self._speed.update(now, self._count)))

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[2K{self._label}  {text}"[: human_width(self._stream) + 8])
        self._stream.flush()
        self._shown = True

    def close(self) -> None:
        """Take the line away: what follows says how it ended."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def reading(self, source: IO[bytes]) -> Iterator[bytes]:
        """Yield what is read, counting it."""
        try:
            while piece := source.read(_PIECE):
                self.add(len(piece))
                yield piece
        finally:
            self.close()

    def passing(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                self.add(len(piece))
                yield piece
        finally:
            self.close()


class Phases:
    """Progress of a program that tells line by line what it does, such as debootstrap's ``I: Retrieving bash 5.2``.

    On a terminal one line is rewritten, with a count of the lines of that verb; elsewhere each new verb is a line. Verbs end in -ing:
    what else is told is of no interest while all goes well.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str], *, quiet: bool = False) -> None:
        self._stream = stream
        self._live = stream.isatty() and environ.get("TERM") != "dumb" and not quiet
        self._quiet = quiet
        self._seen: dict[str, int] = {}

    def say(self, text: str) -> None:
        """Write a line that stays."""
        if not self._quiet:
            self._stream.write(text + "\n")
            self._stream.flush()

    def take(self, line: str) -> None:
        """Take one line of the program; what begins with ``I:`` tells what it does now, what with ``W:`` is shown as it is."""
        mark, _, text = line.partition(": ")
        if self._quiet or mark not in ("I", "W") or not text:
            return
        if mark == "W":
            self.close()
            self.say(f"warning: {text}")
            return
        verb = text.split()[0]
        if not verb.endswith("ing"):
            return
        self._seen[verb] = self._seen.get(verb, 0) + 1
        if self._live:
            self._stream.write(f"\r\x1b[2K{f'{text} ({self._seen[verb]})'[: human_width(self._stream)]}")
            self._stream.flush()
        elif self._seen[verb] == 1:
            self.say(f"{verb} ...")

    def close(self) -> None:
        """Take the line away that is rewritten."""
        if self._live:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
