"""Tables of results: on the terminal, and in docs/performance.md."""

import json
import os
import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Values = Mapping[str, Mapping[str, Sequence[float]]]


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile (the largest, where there are fewer than a hundred)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _row(name: str, unit: str, better: str, engines: Sequence[str], values: Mapping[str, Sequence[float]]) -> str:
    cells = [name, f"{unit}, {better}"]
    first = statistics.median(values[engines[0]]) if values.get(engines[0]) else None
    for label in engines:
        series = values.get(label)
        if not series:
            cells += ["–", "–"]
            continue
        middle = statistics.median(series)
        cells += [_number(middle), f"{p99(series) / middle:.2f}" if middle else "–"]
    for label in engines[1:]:
        series = values.get(label)
        cells.append(f"{statistics.median(series) / first:.2f}" if series and first else "–")
    return "| " + " | ".join(cells) + " |"


def table(result: Mapping[str, Any]) -> str:
    """Return a Markdown table of a result: p50 and p99/p50 of each engine, and the ratio of its p50 to the first's."""
    engines = result["engines"]
    head = ["measure", "unit, better"]
    for label in engines:
        head += [f"{label} p50", "p99/p50"]
    head += [f"{label} / {engines[0]}" for label in engines[1:]]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, values in result["values"].items():
        unit, better = result["parts"][name]
        lines.append(_row(name, unit, better, engines, values))
    return "\n".join(lines)


def machine() -> str:
    """Return one line about this machine."""
    cpu = "an unknown processor"
    memory = 0
    with open("/proc/cpuinfo") as file:
        cpu = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), cpu)
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} cores of {cpu}, {memory} GiB, Linux {os.uname().release}"


def today() -> str:
    """Return the date in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def document(results: Sequence[Mapping[str, Any]], says: Mapping[str, str]) -> str:
    """Return the text of docs/performance.md for these results."""
    parts = [
        "# Performance",
        "Written by `bench/engine.py --document` from the results under `bench/results/`; do not edit by hand.\n"
        "How to measure: `bench/README.md`.\n"
        "Every round of every measure visits the engines in turn, in one run on one machine; ratios are of medians.\n"
        "Only ratios within a table mean something: the machines differ, and so do the days.",
    ]
    for result in results:
        parts += [f"## {result['date']}: {' and '.join(result['engines'])}", f"{result['machine']}.", table(result)]
    measured = {name.split(".")[0] for result in results for name in result["values"]}
    lines = [f"- `{name}`: {text}" for name, text in says.items() if name in measured]
    if lines:
        parts += ["## What is measured", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the results kept in a folder, newest first."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda result: str(result["date"]), reverse=True)


def lines(result: Any) -> str:
    """Return a result as JSON in which a list of samples is one line, so that a difference can be read."""
    text = json.dumps(result, indent=1)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda match: "[" + re.sub(r"\s*\n\s*", " ", match[1]) + "]", text) + "\n"
