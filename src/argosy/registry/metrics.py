"""Counters, and their Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections import Counter
from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._totals: Counter[str] = Counter()

    def answered(self, method: str, noun: str, status: int) -> None:
        self._requests[method, noun, status] += 1

    def add(self, name: str, amount: int = 1) -> None:
        """Count something that has a row in `_TOTALS`."""
        self._totals[name] += amount

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """Return the exposition; ``gauges``: name → (help, value)."""
        requests = (
            f'argosy_registry_requests_total{{method="{method}",noun="{noun}",status="{status}"}} {count}'
            for (method, noun, status), count in sorted(self._requests.items())
        )
        lines = _metric("argosy_registry_requests_total", "counter", "Answered requests", requests)
        for name, words in _TOTALS.items():
            lines += _metric(name, "counter", words, [f"{name} {self._totals[name]}"])
        for name, (words, value) in gauges.items():
            lines += _metric(name, "gauge", words, [f"{name} {value}"])
        return "\n".join(lines) + "\n"


_TOTALS = {
    "argosy_registry_gc_runs_total": "Garbage collections that ended",
    "argosy_registry_gc_freed_bytes_total": "Bytes that garbage collection gave back",
    "argosy_registry_proxy_fetched_bytes_total": "Bytes of blobs fetched from the registry behind",
    "argosy_registry_proxy_stale_total": "Answers from the files because the registry behind did not answer",
    "argosy_registry_logins_refused_total": "Requests with credentials that were wrong",
}


def _metric(name: str, kind: str, words: str, rows: Iterable[str]) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}", *rows]
