"""``argosy events``."""

from __future__ import annotations

import sys
import time

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER, STRING
from argosy.cli.opts.moments import moment
from argosy.cli.session import Session
from argosy.client import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def line(event: Mapping[str, Any]) -> str:
    """Return an event as docker prints it."""
    nanoseconds = int(event.get("timeNano") or int(event.get("time") or 0) * 10**9)
    seconds, fraction = divmod(nanoseconds, 10**9)
    local = time.localtime(seconds)
    offset = time.strftime("%z", local)
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    moment_ = f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{fraction:09d}{zone}"
    actor = event.get("Actor") or {}
    attributes = ", ".join(f"{key}={value}" for key, value in sorted((actor.get("Attributes") or {}).items()))
    text = f"{moment_} {event.get('Type', '')} {event.get('Action', '')} {actor.get('ID', '')}"
    return f"{text} ({attributes})" if attributes else text


def run(session: Session, values: Values) -> None:
    since, until = moment(values.text("since"), "since"), moment(values.text("until"), "until")
    form = values.text("format")
    stream = session.stream(system.events(since or None, until or None, values.filters()))
    show = line if not form else _formatted(form)
    for event in stream:
        sys.stdout.write(show(event) + "\n")
        sys.stdout.flush()


def _formatted(form: str) -> Callable[[Mapping[str, Any]], str]:
    from argosy.cli.output.template import compiled, executed
    from argosy.cli.template.values import to_json

    if form in ("json", "jsonl"):
        return to_json
    template = compiled(form)
    return lambda event: executed(template, event)


COMMAND = Command(
    run,
    flags=(
        Flag("filter", "f", FILTER, "Filter output based on conditions provided"),
        Flag(
            "format",
            "",
            STRING,
            "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':  a Go template",
        ),
        Flag("since", "", STRING, "Show all events created since timestamp"),
        Flag("until", "", STRING, "Stream events until this timestamp"),
    ),
    examples=(("argosy events --since 10m --until 0s", "what happened lately"),),
)
