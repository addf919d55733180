"""``argosy doctor``."""

from __future__ import annotations

import json
import sys

from argosy.cli.command import Command
from argosy.cli.doctor import daemon, kernel, network, security, storage
from argosy.cli.doctor.finding import MISSING, NOTE, OK, Finding
from argosy.cli.doctor.machine import Machine
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.output import colour
from argosy.cli.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = {OK: ("ok", "green"), NOTE: ("--", "yellow"), MISSING: ("NO", "red")}


def run(session: Session, values: Values) -> int:
    form = values.text("format")
    if form not in ("", "table", "json", "jsonl", "yaml"):
        raise ExitError(1, f"argosy doctor: unknown format '{form}': choose table, json, jsonl or yaml")
    findings = examine(Machine(), session)
    if form in ("", "table"):
        sys.stdout.write(text(findings, colour.wanted(sys.stdout, session.environ)))
    elif form == "yaml":
        from argosy.cli.output.yaml import dump

        sys.stdout.write(dump([one.plain() for one in findings]))
    elif form == "json":
        sys.stdout.write(json.dumps([one.plain() for one in findings], indent=4) + "\n")
    else:
        sys.stdout.write("".join(json.dumps(one.plain()) + "\n" for one in findings))
    return int(any(one.state == MISSING for one in findings))


def examine(machine: Machine, session: Session) -> list[Finding]:
    """Look at everything and return what was found."""
    root = str(daemon.info(session).get("DockerRootDir") or storage.DATA_ROOT)
    return [
        *kernel.probe(machine),
        *storage.probe(machine, root),
        *network.probe(machine),
        *security.probe(machine),
        *daemon.probe(machine, session),
    ]


def text(findings: Sequence[Finding], coloured: bool) -> str:
    """Return the findings by section, and at the end what they come to."""
    lines: list[str] = []
    section = ""
    width = max((len(one.name) for one in findings), default=0)
    for one in findings:
        if one.section != section:
            section = one.section
            lines += [""] * bool(lines) + [colour.paint(section.capitalize(), "bold", coloured)]
        mark, paint = _MARKS[one.state]
        lines.append(f"  {colour.paint(mark, paint, coloured)}  {one.name.ljust(width)}  {one.detail}".rstrip())
        indent = " " * (width + 8)
        lines += [f"{indent}{label}: {words}" for label, words in (("means", one.consequence), ("mend", one.remedy)) if words]
    missing = sum(one.state == MISSING for one in findings)
    notes = sum(one.state == NOTE for one in findings)
    verdict = (
        f"{missing} needed {'thing is' if missing == 1 else 'things are'} missing" if missing else "Everything that is needed is there"
    )
    return "\n".join((*lines, "", f"{verdict}; {notes} {'note' if notes == 1 else 'notes'}.")) + "\n"


COMMAND = Command(
    run,
    flags=(Flag("format", "", STRING, "Format output: 'table' (default), 'json', 'jsonl' or 'yaml'"),),
    about="Check what this machine offers to containers and how to mend what is missing.\nEnds with 1 when something needed is missing.",
)
