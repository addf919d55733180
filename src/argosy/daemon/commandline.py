"""Reading argosyd's command line as Go's pflag does: ``--name=value``, ``--name value``, ``-nvalue``, ``--switch[=false]``."""

from collections.abc import Sequence
from typing import Any

from argosy.base.errors import InvalidParameterError
from argosy.daemon.flags import BY_NAME, BY_SHORT, FLAGS, Flag, Kind, State

_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def parse(words: Sequence[str]) -> dict[str, Any]:
    """Return flag name → value, only of the flags that were given. Raises InvalidParameterError."""
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            found["help"] = True
            continue
        flag, value = _split(word)
        if flag.kind is Kind.FLAG:
            found[flag.name] = True if value is None else _boolean(flag, value)
            continue
        if value is None:
            if flag.name == "docker-socket" and (not rest or rest[0].startswith("-")):
                value = "/var/run/docker.sock"
            elif not rest:
                raise InvalidParameterError(f"flag needs an argument: --{flag.name}")
            else:
                value = rest.pop(0)
        _store(found, flag, value)
    return found


def _split(word: str) -> tuple[Flag, str | None]:
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        if name not in BY_NAME:
            raise InvalidParameterError(f"unknown flag: --{name}")
        return BY_NAME[name], value if equals else None
    if word.startswith("-") and len(word) > 1:
        if word[1] not in BY_SHORT:
            raise InvalidParameterError(f"unknown shorthand flag: '{word[1]}' in {word}")
        value = word[2:].removeprefix("=")
        return BY_SHORT[word[1]], value or None
    raise InvalidParameterError(f"unknown command: argosyd {word}\n\nRun 'argosyd --help' for more information")


def _boolean(flag: Flag, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise InvalidParameterError(
        f'invalid argument "{value}" for "--{flag.name}" flag: strconv.ParseBool: parsing "{value}": invalid syntax'
    )


def _store(found: dict[str, Any], flag: Flag, value: str) -> None:
    match flag.kind:
        case Kind.NUMBER:
            if not value.lstrip("-").isdecimal():
                raise InvalidParameterError(f'invalid argument "{value}" for "--{flag.name}" flag: not a number')
            found[flag.name] = int(value)
        case Kind.LIST:
            found.setdefault(flag.name, []).append(value)
        case Kind.MAP:
            key, _, content = value.partition("=")
            found.setdefault(flag.name, {})[key] = content
        case _:
            found[flag.name] = value


def usage() -> str:
    """Return the help text: every flag with what becomes of it."""
    lines = ["Usage:  argosyd [OPTIONS]", "", "A container engine that speaks the Docker Engine API.", "", "Options:"]
    for flag in FLAGS:
        short = f"-{flag.short}, " if flag.short else "    "
        kind = "" if flag.kind is Kind.FLAG else f" {flag.kind.name.lower()}"
        note = {State.WORKS: "", State.UNUSED: " (accepted", State.WARNS: " (warns", State.REFUSED: " (refused"}[flag.state]
        if note:
            note += f": {flag.why})" if flag.why else ")"
        default = f" (default {flag.default})" if flag.default not in (None, "", False, 0, ()) and flag.default != {} else ""
        lines.append(f"  {short}--{flag.name}{kind}".ljust(44) + f" {flag.help}{default}{note}")
    return "\n".join(lines)
