"""Help texts in docker's layout, wrapped to the terminal."""

from __future__ import annotations

import os

from argosy.cli import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from argosy.cli.command import Command
    from argosy.cli.flags import Flag

_WIDTH = 80


def width() -> int:
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = _WIDTH
    return max(40, min(columns or _WIDTH, 120))


def usage_line(path: str, command: Command) -> str:
    options = " [OPTIONS]" if command.flags else ""
    return "\n\t".join(f"{path}{options}{' ' + form if form else ''}" for form in command.usage)


def of_command(path: str, command: Command, columns: int | None = None) -> str:
    """Return the help of a verb."""
    columns = columns or width()
    parts = [f"Usage:  {usage_line(path, command)}", command.about or registry.summary_of(path)]
    aliases = registry.paths_of(path)
    if len(aliases) > 1:
        parts.append("Aliases:\n  " + ", ".join(aliases))
    if command.examples:
        parts.append("Examples:\n" + "\n".join(f"  {line:<58} {what}".rstrip() for line, what in command.examples))
    visible = [flag for flag in command.flags if not flag.hidden]
    if visible:
        parts.append("Options:\n" + options(visible, columns))
    return "\n\n".join(parts)


def options(flags: Iterable[Flag], columns: int) -> str:
    """Return one paragraph a flag, in two columns."""
    rows = []
    for flag in sorted(flags, key=lambda flag: flag.name.lower()):
        letter = f"-{flag.letter}, " if flag.letter else "    "
        label = f" {flag.kind.label}" if flag.kind.label else ""
        shown = f" (default {flag.shown})" if flag.shown else ""
        rows.append((f"  {letter}--{flag.name}{label}", flag.help + shown))
    left = min(max(len(name) for name, _ in rows), 36) + 3
    return "\n".join(_two_columns(name, text, left, columns) for name, text in rows)


def _two_columns(name: str, text: str, left: int, columns: int) -> str:
    import textwrap

    room = max(columns - left, 24)
    lines = [line for paragraph in text.split("\n") for line in (textwrap.wrap(paragraph, room) or [""])]
    if len(name) + 1 > left:
        return "\n".join([name, *(" " * left + line for line in lines)])
    return "\n".join([name.ljust(left) + lines[0], *(" " * left + line for line in lines[1:])]).rstrip()


def of_group(path: str, group: registry.Group) -> str:
    """Return the help of ``argosy container`` and its like."""
    own = len(path.split())
    rows = [(name, registry.summary_of(f"{path} {name}")) for name in group.verbs]
    return "\n\n".join(
        (
            f"Usage:  {path} COMMAND",
            group.summary,
            "Commands:\n" + table(rows),
            f"Run '{path} COMMAND --help' for more information on a command." if own else "",
        )
    )


def table(rows: Sequence[tuple[str, str]]) -> str:
    left = max(len(name) for name, _ in rows) + 1
    return "\n".join(f"  {name.ljust(left)} {summary}" for name, summary in rows)


def of_program(flags: Sequence[Flag]) -> str:
    """Return the help of ``argosy`` itself."""
    groups = [(name, group.summary) for name, group in registry.GROUPS.items()]
    common = [(name, registry.summary_of(f"argosy {name}")) for name in registry.COMMON]
    others = [(name, registry.summary_of(f"argosy {name}")) for name in sorted(registry.VERBS) if name not in registry.COMMON]
    return "\n\n".join(
        (
            "Usage:  argosy [OPTIONS] COMMAND",
            "A container engine that speaks the Docker Engine API",
            "Common Commands:\n" + table(common),
            "Management Commands:\n" + table(groups),
            "Commands:\n" + table(others),
            "Global Options:\n" + options(flags, width()),
            "Run 'argosy COMMAND --help' for more information on a command.",
        )
    )
