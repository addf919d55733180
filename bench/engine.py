#!/usr/bin/env python3
"""Measure engines that speak the Docker Engine API side by side, in one run.

    bench/engine.py --engine docker=/run/argosy-peer-x/docker.sock --engine argosy=/run/argosy.sock
    bench/engine.py --engines engines.json --only run_none,exec_true --json bench/results/2026-01-01.json
    bench/engine.py --document          writes docs/performance.md from bench/results/*.json

The first engine is what the others are divided by. Standard library only; needs a static busybox, and iperf3 for the published port.
bench/README.md says what the description of an engine may hold.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import measures.answers  # noqa: E402
import measures.busy  # noqa: E402
import measures.life  # noqa: E402
import measures.networks  # noqa: E402
import measures.streams  # noqa: E402, F401
import report  # noqa: E402
from measures import MEASURES, Measure, Round  # noqa: E402
from payload import Payload  # noqa: E402
from target import Target  # noqa: E402

Values = dict[str, dict[str, list[float]]]


def complain(measure: Measure, engine: Target, error: Exception) -> None:
    """Say why an engine drops out of a measure."""
    print(f"# {measure.name} {engine.label}: {type(error).__name__}: {error}", file=sys.stderr)


def take(measure: Measure, engines: Sequence[Target], payload: Payload, rounds: int, values: Values) -> None:
    """Measure the engines in turn, the order reversed every other round; one that fails drops out of this measure."""
    with ExitStack() as stack:
        ready: dict[str, Round] = {}
        for engine in engines:
            if measure.needs_start and not engine.command:
                continue
            try:
                ready[engine.label] = stack.enter_context(measure.prepare(engine, payload))
            except (OSError, RuntimeError) as error:
                complain(measure, engine, error)
        warm = 0 if measure.heavy else 1
        for number in range(rounds + warm):
            for engine in engines if number % 2 == 0 else engines[::-1]:
                if engine.label not in ready:
                    continue
                try:
                    seen = ready[engine.label]()
                except (OSError, RuntimeError) as error:
                    complain(measure, engine, error)
                    del ready[engine.label]
                    continue
                if number < warm:
                    continue
                for part, value in seen.items():
                    series = values.setdefault(f"{measure.name}.{part}".rstrip("."), {}).setdefault(engine.label, [])
                    series.extend(value if isinstance(value, Sequence) else [value])


def measure_all(options: argparse.Namespace, engines: list[Target]) -> dict[str, Any]:
    """Run the chosen measures; return the result as it is kept in JSON."""
    payload = Payload(Path(options.folder))
    started = []
    for engine in engines:
        if not engine.answers():
            if not engine.command:
                raise SystemExit(f"{engine.label}: nothing answers on {engine.path}")
            engine.launch()
            started.append(engine)
        with payload.image.open("rb") as file:
            engine.wire.request("POST", "/images/load?quiet=1", file, kind="application/x-tar", size=payload.image.stat().st_size).expect(
                200
            )
    values: Values = {}
    only, without = set(filter(None, options.only.split(","))), set(options.skip.split(","))
    try:
        for measure in MEASURES.values():
            if (only and measure.name not in only) or measure.name in without or (options.quick and measure.heavy and not only):
                continue
            print(f"{measure.name}: {measure.says}", file=sys.stderr, flush=True)
            rounds = options.rounds or (min(3, measure.rounds) if options.quick else measure.rounds)
            take(measure, engines, payload, rounds, values)
    finally:
        for engine in started:
            engine.end()
    parts = {f"{m.name}.{part}".rstrip("."): (p.unit, p.better) for m in MEASURES.values() for part, p in m.parts.items()}
    kept = {name: parts[name] for name in values}
    labels = [engine.label for engine in engines]
    return {"date": report.today(), "machine": report.machine(), "engines": labels, "parts": kept, "values": values}


def main() -> int:
    """Measure, or write the document; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", default=[], metavar="LABEL=SOCKET")
    parser.add_argument("--engines", action="append", default=[], metavar="FILE", help="JSON: one description or a list of them")
    parser.add_argument("--only", default="", help="these measures, with commas")
    parser.add_argument("--skip", default="", help="not these")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="three rounds, nothing heavy")
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "argosy-bench"), help="where images and archives are made")
    parser.add_argument("--json", metavar="FILE", help="keep the result")
    parser.add_argument("--list", action="store_true", help="name the measures")
    parser.add_argument("--document", action="store_true", help="write docs/performance.md from bench/results and end")
    options = parser.parse_args()
    if options.list:
        for measure in MEASURES.values():
            print(f"{measure.name:15} {measure.says}")
        return 0
    if options.document:
        says = {measure.name: measure.says for measure in MEASURES.values()}
        (HERE.parent / "docs/performance.md").write_text(report.document(report.read(HERE / "results"), says))
        return 0
    descriptions: list[dict[str, Any]] = []
    for file in options.engines:
        data = json.loads(Path(file).read_text())
        descriptions += data if isinstance(data, list) else [data]
    for word in options.engine:
        label, _, path = word.partition("=")
        descriptions.append({"label": label, "sock": path})
    if not descriptions:
        parser.error("no engine is given")
    result = measure_all(options, [Target(description) for description in descriptions])
    print(report.table(result))
    if options.json:
        Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        Path(options.json).write_text(report.lines(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
