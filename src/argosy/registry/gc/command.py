"""``argosy-registry gc``."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec

from argosy.base.clock import SystemClock
from argosy.base.errors import SystemFailureError
from argosy.base.units import human_bytes
from argosy.registry.config import Config, seconds
from argosy.registry.gc.retention import Rule
from argosy.registry.gc.sweep import Collector
from argosy.registry.patterns import Pattern
from argosy.registry.storage.layout import Layout, prepare


def collector_of(config: Config, layout: Layout, *, say: Callable[[str], None], dry_run: bool = False) -> Collector:
    """Return a collector as configured."""
    return Collector(
        layout=layout,
        clock=SystemClock(),
        grace=seconds(config.gc.grace, "gc.grace"),
        uploads=seconds(config.gc.uploads, "gc.uploads"),
        untagged=config.gc.untagged,
        rules=[
            Rule(Pattern(rule.repositories), Pattern(rule.tags), rule.keep, seconds(rule.younger or "0", "retention.younger"))
            for rule in config.retention
        ],
        say=say,
        dry_run=dry_run,
    )


def collect(config: Config, *, dry_run: bool, as_json: bool, write: Callable[[str], None]) -> None:
    """Collect once and write what was, or would be, removed. Raises SystemFailureError."""
    try:
        layout = prepare(Path(config.root))
        report = collector_of(config, layout, say=(lambda line: None) if as_json else write, dry_run=dry_run).run()
    except (OSError, ValueError) as error:
        raise SystemFailureError(f"cannot collect garbage in {config.root}: {error}") from error
    if as_json:
        write(msgspec.json.encode(asdict(report)).decode())
        return
    verb = "would be removed, and" if dry_run else "removed,"
    write(
        f"{report.tags} tags, {report.manifests} manifests, {report.blobs} blobs of repositories and {report.uploads} uploads {verb} "
        f"{human_bytes(report.freed)} freed"
    )
