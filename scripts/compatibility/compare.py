"""Lay Docker's names beside ours: what is here, what is here and does less, what is not here and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Operation(NamedTuple):
    """A method and a path; ``status`` is 0 where the route is served, else what it always answers, with its words."""

    method: str
    path: str
    status: int = 0
    why: str = ""


@dataclass
class CommandRow:
    """One command of Docker's: its flags that work here, and for the others the reason."""

    name: str
    here: bool
    why: str = ""
    works: list[str] = field(default_factory=list)
    less: dict[str, str] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)


class Unexplained(Exception):
    """Rows without a reason, or reasons without a row; one a line."""


def explain(operation: Operation, answers: Mapping[str, str]) -> Operation:
    """Return an operation with the meaning of its answer in place of words that ``answers`` knows by their beginning."""
    meaning = next((what for start, what in answers.items() if operation.why.startswith(start)), operation.why)
    return operation._replace(why=meaning)


def reason(reasons: Mapping[str, str], name: str) -> str:
    """Return the reason for a command: its own, or that of the words it begins with; "" when there is none."""
    words = name.split()
    return next((reasons[start] for end in range(len(words), 0, -1) if (start := " ".join(words[:end])) in reasons), "")


def command_rows(
    docker: Mapping[str, Iterable[str]],
    ours: Mapping[str, Iterable[str]],
    *,
    full: Mapping[str, str],
    missing: Mapping[str, str],
    lacking: Mapping[str, str],
    limited: Mapping[str, str],
) -> list[CommandRow]:
    """Return a row for each of Docker's commands; ``full`` is short name → long name of ours (``ps`` → ``container ls``)."""
    rows = []
    for name, flags in sorted(docker.items()):
        if name not in ours:
            rows.append(CommandRow(name, False, reason(missing, name)))
            continue
        row = CommandRow(name, True)
        long = full.get(name, name)
        for flag in sorted(flags):
            less = limited.get(f"{long} --{flag}") or limited.get(f"--{flag}")
            if flag not in set(ours[name]):
                row.lacks[flag] = lacking.get(f"{long} --{flag}", "")
            elif less:
                row.less[flag] = less
            else:
                row.works.append(flag)
        rows.append(row)
    return rows


def additions(
    docker: Mapping[str, Iterable[str]], ours: Mapping[str, Iterable[str]], *, full: Mapping[str, str], hidden: Iterable[str]
) -> dict[str, list[str]]:
    """Return our commands that Docker has not (with no flags named), and the flags of ours that its command has not.

    ``hidden`` are commands, ``--flag`` of any command and ``command --flag`` that Docker has and does not list. A short name is left
    out: it has what its long name has.
    """
    secret = set(hidden)
    found: dict[str, list[str]] = {}
    for name, flags in sorted(ours.items()):
        if full.get(name, name) != name or name in secret:
            continue
        if name not in docker:
            found[name] = []
        elif more := [flag for flag in sorted(set(flags) - set(docker[name])) if not {f"--{flag}", f"{name} --{flag}"} & secret]:
            found[name] = more
    return found


def unexplained(rows: Iterable[CommandRow]) -> list[str]:
    """Return what is not here and has no reason, in words."""
    wrong = []
    for row in rows:
        if not row.here and not row.why:
            wrong.append(f"docker {row.name}: not here, and no reason is given")
        wrong += [f"docker {row.name} --{flag}: not here, and no reason is given" for flag, why in row.lacks.items() if not why]
    return wrong


def idle(rows: Iterable[CommandRow], missing: Mapping[str, str], lacking: Mapping[str, str], limited: Mapping[str, str]) -> list[str]:
    """Return the reasons that explain nothing (any more), in words."""
    rows = list(rows)
    absent = [row.name for row in rows if not row.here]
    lacks = {f"{row.name} --{flag}" for row in rows for flag in row.lacks}
    less = {name for row in rows for flag in row.less for name in (f"{row.name} --{flag}", f"--{flag}")}
    wrong = [name for name in missing if not any(f"{other} ".startswith(f"{name} ") for other in absent)]
    wrong += [name for name in lacking if name not in lacks]
    wrong += [name for name in limited if name not in less]
    return [f"{name}: a reason is given, and nothing needs it" for name in wrong]
