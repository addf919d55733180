"""docs/compatibility.md as text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from argosy.daemon.flags import Flag, State
from compatibility.compare import CommandRow, Operation

_STATES = {State.WARNS: "warns", State.REFUSED: "refused", State.UNUSED: "accepted, unused"}

HEAD = """# Compatibility with Docker

Written by `scripts/compatibility` from the tables that argosyd and argosy work with; do not edit. Docker's side is the Engine API {api},
docker {docker} and dockerd {dockerd}. What is not here has its reason beside it.
"""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def names(words: Iterable[str], mark: str = "") -> str:
    """Return names as code, in one line."""
    return ", ".join(f"`{mark}{word}`" for word in words)


def routes(found: Iterable[Operation], further: Iterable[tuple[Operation, str]]) -> str:
    """Return the section on the API: a table for each noun, and our own routes."""
    found = list(found)
    served = sum(not item.status for item in found)
    parts = [f"## API\n\n{served} of {len(found)} described operations are served; each of the others answers as said here.\n"]
    noun: Callable[[Operation], str] = lambda item: item.path.split("/")[1]  # noqa: E731
    for name, items in groupby(sorted(found, key=noun), noun):
        rows = ((item.method, f"`{item.path}`", answer(item)) for item in items)
        parts.append(f"### /{name}\n\n{table(('method', 'path', 'here'), rows)}")
    more = ((item.method, f"`{item.path}`", answer(item), what) for item, what in further)
    parts.append(f"### Routes that the description has not\n\n{table(('method', 'path', 'here', 'what'), more)}")
    return "\n".join(parts)


def answer(item: Operation) -> str:
    """Return what becomes of an operation, in a cell."""
    return f"{item.status}: {item.why}" if item.status else "served"


def commands(rows: Sequence[CommandRow], full: Mapping[str, str], own: Iterable[tuple[str, str, str]], build: CommandRow) -> str:
    """Return the section on the command line."""
    by_name = {row.name: row for row in rows}
    same = {row.name: full[row.name] for row in rows if row.here and is_short(row, by_name, full)}
    here = [row for row in rows if row.here and row.name not in same]
    absent = sorted((row.name.partition(" ")[0], row.why, row.name.partition(" ")[2]) for row in rows if not row.here)
    gone = [(noun, why, [verb for *_, verb in items]) for (noun, why), items in groupby(absent, lambda item: item[:2])]
    return "\n".join(
        (
            "## Commands\n",
            "The flags of each command of docker's. `argosy` stands in place of `docker`.\n",
            table(("docker", "flags that work", "flags that do less, or are not here"), map(command_cells, here)),
            "Shorter and further names, each with the flags of the command it stands for:\n",
            table(("docker", "the same as"), ((f"`{name}`", f"`{of}`") for name, of in same.items())),
            "Commands that are not here, with all their flags:\n",
            table(("docker", "verbs", "why"), ((f"`{noun}`", names(filter(None, verbs)), why) for noun, why, verbs in gone)),
            "`docker build` is `docker buildx build` where buildx is installed. Of its flags, `argosy build` has these:\n",
            table(("docker", "flags that work", "flags that do less, or are not here"), [command_cells(build)]),
            "Commands and flags that docker has not:\n",
            table(("argosy", "flag", "what"), ((f"`{name}`", f"`--{flag}`" if flag else "", what) for name, flag, what in own)),
        )
    )


def is_short(row: CommandRow, by_name: Mapping[str, CommandRow], full: Mapping[str, str]) -> bool:
    """Tell whether a command is but another name of one that has a row, with the same flags."""
    long = by_name.get(full.get(row.name, row.name))
    return long is not None and long is not row and (row.works, row.less, row.lacks) == (long.works, long.less, long.lacks)


def command_cells(row: CommandRow) -> tuple[str, str, str]:
    """Return the cells of a command that is here."""
    exceptions = [f"`--{flag}`: {why}" for flag, why in (*row.less.items(), *row.lacks.items())]
    return f"`{row.name}`" if row.name else "(before the command)", names(row.works, "--"), "<br>".join(grouped(exceptions))


def grouped(lines: Iterable[str]) -> list[str]:
    """Return lines ``NAME: WHY`` with the names of one reason in one line."""
    by_why: dict[str, list[str]] = {}
    for line in lines:
        name, _, why = line.partition(": ")
        by_why.setdefault(why, []).append(name)
    return [f"{', '.join(found)}: {why}" for why, found in by_why.items()]


def daemon(docker: Iterable[str], flags: Sequence[Flag], reasons: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Return the section on dockerd's flags and daemon.json; ``keys`` are those of the file alone, with what becomes of them."""
    known = set(docker)
    works = [flag for flag in flags if flag.name in known and flag.state is State.WORKS]
    rest = [flag for flag in flags if flag.name in known and flag.state is not State.WORKS]
    own = [flag for flag in flags if flag.name not in known]
    renamed = [flag for flag in flags if flag.file_key != flag.name]
    return "\n".join(
        (
            "## Daemon\n",
            f"Flags of dockerd that work in argosyd: {names((flag.name for flag in works), '--')}.\n",
            table(("dockerd", "argosyd", "why"), ((f"`--{f.name}`", _STATES[f.state], f.why or reasons.get(f.name, "")) for f in rest)),
            "Each flag but `--config-file`, `--validate` and `--version` is a key of daemon.json too, by its own name, or by this:\n",
            table(("flag", "key"), ((f"`--{flag.name}`", f"`{flag.file_key}`") for flag in renamed)),
            "Keys of the file alone:\n",
            table(("key", "argosyd"), ((f"`{key}`", what) for key, what in keys.items())),
            "Flags and keys that dockerd has not:\n",
            table(("argosyd", "what"), ((f"`--{flag.name}`", flag.help) for flag in own)),
        )
    )


def scope(reasons: Mapping[str, str]) -> str:
    """Return the section on what is left out."""
    return "## Out of scope\n\n" + table(("what", "why"), reasons.items())
