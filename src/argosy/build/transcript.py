"""What a build says: the classic builder's stream, in the Dockerfile's order although stages run side by side.

The first stage that is not finished speaks at once, what the others say waits for their turn. Our own client also gets each
thing as it happens, in messages of its own (``vertex``), which no other client is sent.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Message = Mapping[str, Any]
Send = Callable[[Message], None]


class Transcript:
    def __init__(self, send: Send, stages: Iterable[int], *, detailed: bool, quiet: bool) -> None:
        self._send = send
        self._order = list(stages)
        self._waiting: dict[int, list[Message]] = {stage: [] for stage in self._order}
        self._finished: set[int] = set()
        self._detailed = detailed
        self._quiet = quiet

    def text(self, stage: int, text: str) -> None:
        """Say a piece of the classic stream."""
        if not self._quiet:
            self.message(stage, {"stream": text})

    def message(self, stage: int, message: Message) -> None:
        if self._order and stage == self._order[0]:
            self._send(message)
        elif stage in self._waiting:
            self._waiting[stage].append(message)
        else:
            self._send(message)

    def vertex(self, **fields: Any) -> None:
        """Tell our own client of a step: ``id``, ``name``, ``state`` (running, done, cached, failed), ``output``, ``stage``."""
        if self._detailed:
            self._send({"vertex": fields})

    def finished(self, stage: int) -> None:
        """The stage says no more; those behind it get their turn."""
        self._finished.add(stage)
        while self._order and self._order[0] in self._finished:
            del self._order[0]
            if self._order:
                self._flush(self._order[0])

    def failed(self, stage: int) -> None:
        """The stage failed: what it said is said now, others keep silent."""
        if self._order and stage in self._order:
            if self._order[0] != stage:
                self._flush(stage)
            self._order = [stage]

    def _flush(self, stage: int) -> None:
        waiting, self._waiting[stage] = self._waiting[stage], []
        for message in waiting:
            self._send(message)
