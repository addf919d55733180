"""A log that is opened by the first output: a container that says nothing needs none of a writer's memory."""

from argosy.runtime.logs.open import open_writer
from argosy.runtime.logs.relay import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from argosy.runtime.logs.open import Writer
    from argosy.runtime.logs.rotate import Forker
    from argosy.runtime.shim.loop import Loop


class LazyLog:
    """The writer of a plan that is known to be good (`open.try_log`): `Writer`."""

    def __init__(self, plan: "Mapping[str, Any]", fork: "Forker", loop: "Loop") -> None:
        self._plan, self._fork, self._loop = plan, fork, loop
        self.drained: Callable[[], None] = _nobody
        """Called when `full` is no longer so."""
        self._writer: Writer | None = None
        self._dropped = 0

    @property
    def lost(self) -> int:
        """Return how many bytes could not be written."""
        count: int = getattr(getattr(self._writer, "file", self._writer), "lost", 0)
        return self._dropped + count

    def write(self, stream: int, data: bytes) -> None:
        if self._writer is None:
            try:
                self._writer = self._open()
            except OSError:
                pass  # no fd or no space left since the start: the next output tries again
        if self._writer is None:
            self._dropped += len(data)
        else:
            self._writer.write(stream, data)

    @property
    def full(self) -> bool:
        """Whether the program has to wait: its log goes to a server that does not take it."""
        return bool(getattr(self._writer, "full", False))

    def _open(self) -> "Writer | None":
        writer = open_writer(self._plan, self._fork, self._loop)
        if isinstance(writer, Relay):
            writer.drained = lambda: self.drained()
        return writer

    def unrecorded(self, stream: int) -> bytes:
        """Return what of a stream's output is in no record yet: the beginning of a line. Empty for what keeps no file."""
        kept: Callable[[int], bytes] | None = getattr(self._writer, "unrecorded", None)
        return b"" if kept is None else kept(stream)

    def end(self, stream: int) -> None:
        if self._writer is not None:
            self._writer.end(stream)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _nobody() -> None:
    """Nobody waits."""
