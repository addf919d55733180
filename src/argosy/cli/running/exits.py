"""How a container's end is learned, and what it means for our exit status."""

from __future__ import annotations

from argosy.client import containers
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from argosy.cli.session import Session
    from argosy.client.sync import Client

_NOT_FOUND = ("executable file not found", "no such file or directory", "system cannot find the file specified")
_NOT_EXECUTABLE = ("permission denied", "is a directory")


class Exit:
    """Watches for a container's end on a connection of its own, from before it starts so that nothing is missed."""

    def __init__(self, session: Session, container: str, *, removed: bool) -> None:
        self._client: Client = session.new_client()
        self._stream: Iterator[dict[str, Any]] = self._client.stream(containers.wait(container, "removed" if removed else "next-exit"))

    def status(self) -> int:
        """Block until the end and return the exit status; 125 when the daemon could not tell it."""
        try:
            answer = next(self._stream, None)
        except ApiError:
            answer = None
        finally:
            self.close()
        if answer is None or (answer.get("Error") or {}).get("Message"):
            return 125
        return int(answer.get("StatusCode", 125))

    def close(self) -> None:
        self._client.close()


def of_failed_start(message: str) -> int:
    """docker's toStatusError: 127 for a program that is not there, 126 for one that cannot be run, else 125."""
    lowered = message.lower()
    if any(words in lowered for words in _NOT_FOUND):
        return 127
    return 126 if any(words in lowered for words in _NOT_EXECUTABLE) else 125
