"""Garbage collection from time to time: a process of its own, so that the server's loop does not share its interpreter with it."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence

import msgspec

_log = logging.getLogger(__name__)


class Schedule:
    def __init__(self, *, interval: float, words: Sequence[str], ended: Callable[[int], None]) -> None:
        self._interval = interval
        self._words = words
        """The command line of ``argosy-registry gc`` after ``gc``."""
        self._ended = ended
        """Told how many bytes were freed."""

    async def run(self) -> None:
        """Collect every ``interval`` seconds, until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.once()

    async def once(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "argosy.registry", "gc", *self._words, "--json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            _log.error("garbage collection failed: %s", errors.decode(errors="replace").strip()[-500:])
            return
        report = msgspec.json.decode(output)
        _log.info("garbage collection: %s", ", ".join(f"{count} {what}" for what, count in report.items()))
        self._ended(int(report["freed"]))
