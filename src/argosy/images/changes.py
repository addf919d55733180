"""``--change`` of commit and import: a few Dockerfile instructions applied to a configuration.

moby ``builder/dockerfile`` dispatchers and ``buildkit/frontend/dockerfile/parser``; the words of errors are theirs.
"""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration
from argosy.oci.config import Config, Healthcheck

_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?\Z", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))")
_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9]*(?:[+-]\d+)?\Z|\d+\Z", re.IGNORECASE)


def apply(config: Config, changes: Sequence[str]) -> Config:
    """Return the configuration with all changes made, in order. Raises InvalidParameterError with Docker's words."""
    for change in changes:
        for line in _lines(change):
            word, _, rest = line.partition(" ")
            verb = word.upper()
            if verb not in _VERBS:
                if verb in _NOT_HERE:
                    raise InvalidParameterError(f"{word.lower()} is not a valid change command")
                raise InvalidParameterError(f"dockerfile parse error on line 1: unknown instruction: {word}")
            rest = rest.strip()
            if not rest and verb not in ("CMD", "ENTRYPOINT"):
                raise InvalidParameterError(f"{verb} requires {_LEAST.get(verb, 'at least one argument')}")
            config = _VERBS[verb](config, rest)
    return config


_NOT_HERE = frozenset(["FROM", "RUN", "ADD", "COPY", "ARG", "SHELL", "MAINTAINER"])
_LEAST = {"WORKDIR": "exactly one argument", "USER": "exactly one argument", "STOPSIGNAL": "exactly one argument"}


def _lines(text: str) -> list[str]:
    joined = re.sub(r"\\[ \t]*\n", "", text)
    return [line.strip() for line in joined.split("\n") if line.strip() and not line.lstrip().startswith("#")]


def _exec_form(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _command(text: str, config: Config) -> tuple[str, ...]:
    """Exec form as it is; shell form through the image's shell."""
    form = _exec_form(text)
    return form if form is not None else (*(config.shell or ("/bin/sh", "-c")), text)


def _cmd(config: Config, text: str) -> Config:
    return replace(config, cmd=_command(text, config) if text else None, args_escaped=False)


def _entrypoint(config: Config, text: str) -> Config:
    if not text:
        return replace(config, entrypoint=None)
    # An entry point resets the command that came with the image (Dockerfile reference, "CMD and ENTRYPOINT").
    return replace(config, entrypoint=_command(text, config) or None)


def _expand(text: str, config: Config) -> str:
    values = dict(pair.partition("=")[::2] for pair in config.env or ())

    def one(match: re.Match[str]) -> str:
        name = match[1] or match[4]
        value = values.get(name, "")
        if match[2] == "-":
            return value or match[3]
        if match[2] == "+":
            return match[3] if value else ""
        return value

    return _VARIABLE.sub(one, text)


def _pairs(verb: str, text: str, config: Config) -> list[tuple[str, str]]:
    """``K=V K2="a b"`` or the old ``K the rest``."""
    first = text.split(None, 1)
    if "=" not in first[0]:
        if len(first) < 2:
            raise InvalidParameterError(f"{verb} must have two arguments")
        return [(first[0], _expand(first[1], config))]
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidParameterError(f"{verb}: {error}") from error
    pairs = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InvalidParameterError(f"Syntax error - can't find = in {json.dumps(word)}. Must be of the form: name=value")
        if not key:
            raise InvalidParameterError(f"{verb} names can not be blank")
        pairs.append((_expand(key, config), _expand(value, config)))
    return pairs


def _env(config: Config, text: str) -> Config:
    env = list(config.env or ())
    for key, value in _pairs("ENV", text, config):
        at = next((number for number, pair in enumerate(env) if pair.partition("=")[0] == key), None)
        if at is None:
            env.append(f"{key}={value}")
        else:
            env[at] = f"{key}={value}"
    return replace(config, env=tuple(env))


def _label(config: Config, text: str) -> Config:
    return replace(config, labels={**(config.labels or {}), **dict(_pairs("LABEL", text, config))})


def _expose(config: Config, text: str) -> Config:
    ports: dict[str, Any] = dict(config.exposed_ports or {})
    for word in _expand(text, config).split():
        match = _PORT.match(word)
        if match is None or int(match[1]) > 65535 or int(match[2] or match[1]) > 65535:
            raise InvalidParameterError(f"Invalid containerPort: {word}")
        for port in range(int(match[1]), int(match[2] or match[1]) + 1):
            ports[f"{port}/{(match[3] or 'tcp').lower()}"] = {}
    return replace(config, exposed_ports=ports)


def _user(config: Config, text: str) -> Config:
    return replace(config, user=_expand(text, config))


def _volume(config: Config, text: str) -> Config:
    form = _exec_form(text)
    names = form if form is not None else tuple(text.split())
    if any(not name.strip() for name in names):
        raise InvalidParameterError("VOLUME specified can not be an empty string")
    return replace(config, volumes={**(config.volumes or {}), **{_expand(name.strip(), config): {} for name in names}})


def _workdir(config: Config, text: str) -> Config:
    path = _expand(text, config)
    base = "/" if path.startswith("/") else (config.working_dir or "/")
    parts: list[str] = []
    for part in f"{base}/{path}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return replace(config, working_dir="/" + "/".join(parts))


def _onbuild(config: Config, text: str) -> Config:
    verb = text.split(None, 1)[0].upper()
    if verb == "ONBUILD":
        raise InvalidParameterError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if verb in ("MAINTAINER", "FROM"):
        raise InvalidParameterError(f"{verb} isn't allowed as an ONBUILD trigger")
    return replace(config, on_build=(*(config.on_build or ()), text))


def _stopsignal(config: Config, text: str) -> Config:
    signal = _expand(text, config)
    if _SIGNAL.match(signal) is None:
        raise InvalidParameterError(f"invalid signal: {signal}")
    return replace(config, stop_signal=signal)


def _healthcheck(config: Config, text: str) -> Config:
    options: dict[str, str] = {}
    while text.startswith("--"):
        flag, _, text = text.partition(" ")
        key, _, value = flag[2:].partition("=")
        options[key] = value
        text = text.lstrip()
    kind, _, rest = text.partition(" ")
    rest = rest.strip()
    if kind.upper() == "NONE":
        if rest:
            raise InvalidParameterError("HEALTHCHECK NONE takes no arguments")
        return replace(config, healthcheck=Healthcheck(test=("NONE",)))
    if kind.upper() != "CMD":
        raise InvalidParameterError(f"Unknown type {json.dumps(kind)} in HEALTHCHECK (try CMD)")
    if not rest:
        raise InvalidParameterError("Missing command after HEALTHCHECK CMD")
    form = _exec_form(rest)
    test = ("CMD", *form) if form is not None else ("CMD-SHELL", rest)
    return replace(config, healthcheck=_health_options(Healthcheck(test=test), options))


def _health_options(check: Healthcheck, options: dict[str, str]) -> Healthcheck:
    values: dict[str, int] = {}
    for key, value in options.items():
        name = key.replace("-", "_")
        if name == "retries":
            if not value.isdigit() or int(value) < 0:
                raise InvalidParameterError(f"--retries must be at least 0 (not {value})")
            values[name] = int(value)
        elif name in ("interval", "timeout", "start_period", "start_interval"):
            values[name] = parse_duration(value)
            if 0 < values[name] < 1_000_000:
                raise InvalidParameterError(f"Interval {json.dumps(key)} cannot be less than 1ms")
        else:
            raise InvalidParameterError(f"unknown flag: {key}")
    return replace(check, **values)


_VERBS: dict[str, Callable[[Config, str], Config]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _stopsignal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
