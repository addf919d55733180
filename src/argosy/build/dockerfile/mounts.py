"""``RUN --mount``: https://docs.docker.com/reference/dockerfile/#run---mount; words of buildkit ``instructions/commands_runmount.go``."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size
from argosy.build.dockerfile.ast import Mount
from argosy.build.dockerfile.errors import GrammarError, suggestion
from argosy.build.dockerfile.words import quoted

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_KEYS = {
    **{key: key for key in ("type", "from", "source", "target", "readonly", "readwrite", "id", "sharing", "required", "size")},
    **{key: key for key in ("mode", "uid", "gid", "env")},
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


def outline(text: str) -> Mount:
    """Return what is known before variables are: the stage or image it comes from. Raises GrammarError."""
    mount = Mount("bind")
    for word in _fields(text):
        key, equals, value = word.partition("=")
        if key.lower() == "from" and equals:
            if re.search(r"\$.", value):
                raise GrammarError("'from' doesn't support variable expansion, define alias stage instead")
            mount = replace(mount, from_=value)
        elif key.lower() == "type" and value.lower() in _TYPES:
            mount = replace(mount, type=value.lower())
    return mount


def parse(text: str, expand: Callable[[str], str]) -> Mount:
    """Return the mount with all its values expanded. Raises GrammarError, or what ``expand`` raises."""
    mount = Mount("bind")
    given: set[str] = set()
    for word in _fields(text):
        written, equals, value = word.partition("=")
        key = _KEYS.get(written.lower(), "")
        if not equals and key not in ("readonly", "readwrite", "required"):
            raise GrammarError(f"invalid field '{word}' must be a key=value pair")
        if not key:
            raise GrammarError(f"unexpected key '{written.lower()}' in '{word}'{suggestion(written.lower(), tuple(_KEYS))}")
        mount = _with(mount, key, written.lower(), expand(value) if equals else "true")
        given.add(key)
    return _checked(mount, given)


def _fields(text: str) -> list[str]:
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        raise GrammarError(f"failed to parse csv mounts: {error}") from None
    if not rows or not rows[0]:
        raise GrammarError("failed to parse csv mounts: EOF")
    return rows[0]


def _with(mount: Mount, key: str, written: str, value: str) -> Mount:
    if key in ("readonly", "readwrite"):
        return replace(mount, readonly=_boolean(written, value) == (key == "readonly"))
    if key == "type":
        return replace(mount, type=_one_of(value, _TYPES, "unsupported mount type"))
    if key == "sharing":
        return replace(mount, sharing=_one_of(value, _SHARING, "unsupported sharing value"))
    if key == "required":
        _only(mount, ("secret", "ssh"), written)
        return replace(mount, required=_boolean(written, value))
    if key == "size":
        _only(mount, ("tmpfs",), written)
        try:
            return replace(mount, size=parse_size(value))
        except InvalidParameterError:
            raise GrammarError(f"invalid value for size: {value}") from None
    if key == "mode":
        return replace(mount, mode=_number(key, value, 8))
    if key == "uid":
        return replace(mount, uid=_number(key, value, 10))
    if key == "gid":
        return replace(mount, gid=_number(key, value, 10))
    if key == "from":
        return replace(mount, from_=value)
    if key == "source":
        return replace(mount, source=value)
    if key == "target":
        return replace(mount, target=value)
    return replace(mount, id=value) if key == "id" else replace(mount, env=value)


def _boolean(key: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise GrammarError(f"invalid value for {key}: {value}")
    return value in _TRUE


def _one_of(value: str, known: tuple[str, ...], words: str) -> str:
    if value.lower() not in known:
        raise GrammarError(f"{words} {quoted(value)}{suggestion(value, known)}")
    return value.lower()


def _only(mount: Mount, types: tuple[str, ...], key: str) -> None:
    """The type counts that was named before, as in BuildKit."""
    if mount.type not in types:
        raise GrammarError(f"unexpected key '{key}' for mount type '{mount.type}'")


def _number(key: str, value: str, base: int) -> int:
    if not re.fullmatch("[0-7]+" if base == 8 else "[0-9]+", value) or int(value, base) >= 1 << 32:
        raise GrammarError(f"invalid value {value} for {key}")
    return int(value, base)


def _checked(mount: Mount, given: set[str]) -> Mount:
    for key in ("mode", "uid", "gid"):
        if key in given and mount.type not in ("secret", "ssh", "cache"):
            raise GrammarError(f"{key} not allowed for {quoted(mount.type)} type mounts")
    if mount.type == "secret":
        if mount.from_:
            raise GrammarError("secret mount should not have a from")
        if "sharing" in given:
            raise GrammarError("secret mount should not define sharing")
        if not (mount.source or mount.target or mount.id):
            raise GrammarError("invalid secret mount. one of source, target required")
        if mount.source and mount.id:
            raise GrammarError("both source and id can't be set")
    if "sharing" in given and mount.type != "cache":
        raise GrammarError(f"invalid cache sharing set for {mount.type} mount")
    if mount.readonly is None:
        mount = replace(mount, readonly=mount.type not in ("cache", "tmpfs"))
    return mount
