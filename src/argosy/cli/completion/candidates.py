"""What may stand at a place of the command line."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from argosy.cli.command import Command
    from argosy.cli.flags import Flag
    from argosy.cli.session import Session

    Candidates = list[tuple[str, str]]

# Said to the shell's script: complete file names itself.
FILES = ":files"


def candidates(session: Session, words: Sequence[str], globals_: Sequence[Flag]) -> Candidates:
    """Return words with descriptions for the last of ``words``, which may be unfinished."""
    done, last = list(words[:-1]), words[-1] if words else ""
    rest, flag = _skip_flags(done, globals_)
    if flag is not None:
        return _starting(_values(session, flag.complete), last)
    if not rest:
        if last.startswith("-"):
            return _starting(_flags(globals_), last)
        return _starting(_verbs(), last)
    full, left = registry.resolve(rest)
    if full in registry.GROUPS:
        return [] if left else _starting(sorted(registry.GROUPS[full].verbs.items()), last)
    if not full:
        return []
    return _of_command(session, registry.load(full), left, last)


def _of_command(session: Session, command: Command, given: list[str], last: str) -> Candidates:
    arguments, flag = _skip_flags(given, command.flags, all_arguments=True)
    if flag is not None:
        return _starting(_values(session, flag.complete), last)
    name, equals, value = last.partition("=")
    if equals and name.startswith("--"):
        found = next((one for one in command.flags if one.name == name[2:]), None)
        return [(f"{name}={text}", about) for text, about in _starting(_values(session, found.complete if found else ""), value)]
    ended = not command.interspersed and bool(arguments)
    if last.startswith("-") and not ended:
        return _starting(_flags(command.flags), last)
    kinds = command.complete.rstrip("+").split()
    repeats = command.complete.endswith("+")
    if not kinds or (len(arguments) >= len(kinds) and not repeats):
        return [(FILES, "")] if ended else []
    kind = kinds[min(len(arguments), len(kinds) - 1)]
    return [(text, about) for text, about in _starting(_values(session, kind), last) if text not in arguments]


def _skip_flags(words: Sequence[str], flags: Sequence[Flag], *, all_arguments: bool = False) -> tuple[list[str], Flag | None]:
    """Return the words that are no flags, and the flag that still wants a value."""
    by_name = {f"--{flag.name}": flag for flag in flags} | {f"-{flag.letter}": flag for flag in flags if flag.letter}
    out: list[str] = []
    wanting: Flag | None = None
    for position, word in enumerate(words):
        if wanting is not None:
            wanting = None
        elif word.startswith("-") and len(word) > 1:
            # Of joined letters the last one may want a value.
            flag = by_name.get(word) or (by_name.get(f"-{word[-1]}") if word[1] != "-" and "=" not in word else None)
            wanting = flag if flag is not None and flag.kind.implied is None else None
        elif all_arguments:
            out.append(word)
        else:
            return list(words[position:]), None
    return out, wanting


def _starting(found: Sequence[tuple[str, str]], prefix: str) -> Candidates:
    return [one for one in found if one[0].startswith(prefix) or one[0] == FILES]


def _flags(flags: Sequence[Flag]) -> Candidates:
    return [(f"--{flag.name}", flag.help.partition("\n")[0]) for flag in sorted(flags, key=lambda one: one.name) if not flag.hidden]


def _verbs() -> Candidates:
    nouns = [(name, group.summary) for name, group in registry.GROUPS.items()]
    return sorted([*nouns, *((verb, registry.summary_of(f"argosy {verb}")) for verb in registry.VERBS)])


def _values(session: Session, kind: str) -> Candidates:
    """Ask the daemon; when it does not answer there is simply nothing to offer."""
    try:
        return _named(session, kind)
    except (ArgosyError, OSError):
        return []


def _named(session: Session, kind: str) -> Candidates:
    from argosy.client import containers, images, networks, volumes

    if kind == "files":
        return [(FILES, "")]
    if kind in ("containers", "running", "stopped", "objects", "paths"):
        rows = session.call(containers.list_(all_=kind != "running"))
        wanted = [row for row in rows if kind != "stopped" or row.get("State") in ("created", "exited")]
        names = [
            (str(name).removeprefix("/"), f"{row.get('Image')}  {row.get('Status')}")
            for row in wanted
            for name in (row.get("Names") or [])[:1]
        ]
        if kind == "paths":
            return [(f"{name}:", about) for name, about in names] + [(FILES, "")]
        return names
    if kind == "images":
        return [(str(tag), "") for row in session.call(images.list_()) for tag in row.get("RepoTags") or [] if tag != "<none>:<none>"]
    if kind == "networks":
        return [(str(row["Name"]), str(row["Driver"])) for row in session.call(networks.list_())]
    if kind == "volumes":
        return [(str(row["Name"]), "") for row in session.call(volumes.list_()).get("Volumes") or []]
    if kind == "contexts":
        from argosy.client.contexts import ContextStore

        return [("default", "")] + [(one.name, one.description) for one in ContextStore(session.directory).list_()]
    return []
