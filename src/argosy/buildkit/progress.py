"""A build's progress as BuildKit tells it: vertices with a digest, a name and times; what is transferred in them; their output.

The digests are names and nothing else: clients tell vertices apart by them.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from argosy.base.clock import Clock
from argosy.buildkit import messages

LOG_LIMIT = 2 << 20
"""Bytes of one step's output that are passed on, as in BuildKit: all is kept until the build is over, for whoever comes to watch."""


class Progress:
    """Of one build; `take` turns the builder's messages (`build.transcript`) into statuses."""

    def __init__(self, ref: str, clock: Clock) -> None:
        self._ref = ref
        self._clock = clock
        self._vertices: dict[str, Any] = {}
        self._begun: dict[tuple[str, str], Any] = {}
        self._logged: Counter[str] = Counter()

    def now(self) -> Any:
        seconds, nanos = divmod(self._clock.now_ns(), 10**9)
        return messages.Time(seconds=seconds, nanos=nanos)

    def started(self, name: str, key: str = "") -> Any:
        """A vertex begins; ``key`` tells it from others of its name."""
        digest = "sha256:" + hashlib.sha256(f"{self._ref} {key or name}".encode()).hexdigest()
        vertex = messages.Vertex(digest=digest, name=name, started=self.now())
        self._vertices[key or name] = vertex
        return messages.StatusResponse(vertices=[vertex])

    def ended(self, key: str, *, cached: bool = False, error: str = "") -> Any:
        """A vertex is over."""
        vertex = self._vertices[key]
        vertex.completed.CopyFrom(self.now())
        vertex.cached, vertex.error = cached, error
        return messages.StatusResponse(vertices=[vertex])

    def transferred(self, key: str, id: str, current: int, total: int = 0, *, over: bool = False, name: str = "transferring") -> Any:
        """Bytes (or another count) of something within a vertex."""
        begun = self._begun.setdefault((key, id), self.now())
        status = messages.VertexStatus(
            id=id, vertex=self._vertices[key].digest, name=name, current=current, total=total, timestamp=self.now(), started=begun
        )
        if over:
            status.completed.CopyFrom(self.now())
        return messages.StatusResponse(statuses=[status])

    def warning(self, key: str, text: str) -> Any:
        return messages.StatusResponse(warnings=[messages.VertexWarning(vertex=self._vertices[key].digest, level=1, short=text.encode())])

    def interrupted(self, error: str) -> list[Any]:
        """What runs ends so, unless something has failed already: then it was only cut off by that."""
        if any(vertex.error for vertex in self._vertices.values()):
            error = "context canceled"
        return [self.ended(key, error=error) for key, vertex in self._vertices.items() if not vertex.HasField("completed")]

    def take(self, message: Mapping[str, Any]) -> Any | None:
        """Return the status that a message of the builder means, None for none."""
        step = message.get("vertex")
        if step is not None:
            return self._step(step)
        return self._pulling(message) if "status" in message else None

    def _step(self, step: Mapping[str, Any]) -> Any | None:
        key, state = step["id"], step["state"]
        if state == "running":
            if step["step"] > step["steps"]:
                # Labels of the request, which are no instruction.
                return None
            stage = f"stage-{step['stage']}" if step["stage"].isdecimal() else step["stage"]
            return self.started(f"[{stage} {step['step']}/{step['steps']}] {step['name']}", key)
        if key not in self._vertices:
            return None
        if state == "output":
            return self._log(key, step["stream"], step["output"].encode())
        return self.ended(key, cached=state == "cached", error=step.get("process") or step.get("error", ""))

    def _log(self, key: str, stream: int, text: bytes) -> Any | None:
        room = LOG_LIMIT - self._logged[key]
        self._logged[key] += len(text)
        if room < 0:
            return None
        if len(text) > room:
            text = text[:room] + b"\n[output clipped, log limit %dMiB reached]\n" % (LOG_LIMIT >> 20)
        log = messages.VertexLog(vertex=self._vertices[key].digest, timestamp=self.now(), stream=stream, msg=text)
        return messages.StatusResponse(logs=[log])

    def _pulling(self, message: Mapping[str, Any]) -> Any | None:
        """A pull belongs to the FROM that runs."""
        key = next((key for key, vertex in reversed(self._vertices.items()) if _pulls(vertex)), "")
        id = message.get("id")
        if not key or not id:
            return None
        detail = message.get("progressDetail") or {}
        over = message["status"] in ("Pull complete", "Already exists")
        return self.transferred(key, id, detail.get("current", 0), detail.get("total", 0), over=over, name=message["status"].lower())


def _pulls(vertex: Any) -> bool:
    return "] FROM " in vertex.name and not vertex.HasField("completed")
