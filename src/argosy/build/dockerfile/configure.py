"""What an instruction with its variables replaced does to an image's configuration. As moby ``builder/dockerfile``."""

import re
from functools import singledispatch
from typing import Any

from msgspec.structs import replace

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration
from argosy.build.dockerfile import ast
from argosy.build.dockerfile.errors import DockerfileError, GrammarError
from argosy.build.dockerfile.words import quoted
from argosy.linux.signals import parse_signal
from argosy.oci.config import Config, Healthcheck


def environment(config: Config) -> dict[str, str]:
    """Return the variables that instructions see."""
    return dict(pair.partition("=")[::2] for pair in config.env or ())


def apply_to_config(config: Config, one: ast.Instruction, *, keep_command: bool = False) -> Config:
    """Return the configuration after the instruction; those that change files or nothing leave it as it is.

    ``keep_command``: this stage has set CMD itself, so that ENTRYPOINT need not drop one that came with the base image.
    MAINTAINER is the image's author and no part of the configuration. Raises DockerfileError.
    """
    try:
        if isinstance(one, ast.Entrypoint) and not keep_command:
            config = replace(config, cmd=None)
        return _apply(one, config)
    except (GrammarError, InvalidParameterError) as error:
        raise DockerfileError(str(error), one.location, one.original) from None


@singledispatch
def _apply(one: ast.Instruction, config: Config) -> Config:
    return config


def _command(command: ast.Command, config: Config) -> tuple[str, ...]:
    """Exec form as it is; shell form through the image's shell."""
    return (*(config.shell or ("/bin/sh", "-c")), " ".join(command.words)) if command.shell else command.words


@_apply.register
def _(one: ast.Cmd, config: Config) -> Config:
    return replace(config, cmd=_command(one.command, config), args_escaped=False)


@_apply.register
def _(one: ast.Entrypoint, config: Config) -> Config:
    return replace(config, entrypoint=_command(one.command, config) or None)


@_apply.register
def _(one: ast.Env, config: Config) -> Config:
    env = {pair.partition("=")[0]: pair for pair in config.env or ()}
    env.update({pair.key: f"{pair.key}={pair.value}" for pair in one.pairs})
    return replace(config, env=tuple(env.values()))


@_apply.register
def _(one: ast.Label, config: Config) -> Config:
    return replace(config, labels={**(config.labels or {}), **{pair.key: pair.value for pair in one.pairs}})


@_apply.register
def _(one: ast.Expose, config: Config) -> Config:
    ports: dict[str, Any] = dict(config.exposed_ports or {})
    for text in one.ports:
        ports.update({port: {} for port in _ports(text)})
    return replace(config, exposed_ports=ports)


def _ports(text: str) -> list[str]:
    """``80``, ``80/udp``, ``8000-8002``; a host's part before a colon is dropped (moby ``nat.ParsePortSpecs``)."""
    numbers, slash, protocol = text.partition("/")
    numbers = numbers.rpartition(":")[2]
    protocol = protocol.lower() if slash else "tcp"
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", numbers)
    if match is None or int(match[2] or match[1]) > 65535 or int(match[2] or match[1]) < int(match[1]):
        raise GrammarError(f"invalid containerPort: {numbers}")
    if protocol not in ("tcp", "udp", "sctp"):
        raise GrammarError(f"invalid port: {quoted(text)}: invalid proto: {protocol}")
    return [f"{port}/{protocol}" for port in range(int(match[1]), int(match[2] or match[1]) + 1)]


@_apply.register
def _(one: ast.User, config: Config) -> Config:
    return replace(config, user=one.name)


@_apply.register
def _(one: ast.Volume, config: Config) -> Config:
    if not all(one.paths):
        raise GrammarError("VOLUME specified can not be an empty string")
    return replace(config, volumes={**(config.volumes or {}), **{path: {} for path in one.paths}})


@_apply.register
def _(one: ast.Workdir, config: Config) -> Config:
    return replace(config, working_dir=directory(config.working_dir, one.path))


def directory(before: str, path: str) -> str:
    """Return the absolute path that ``WORKDIR path`` means after ``before``."""
    parts: list[str] = []
    for part in f"{'' if path.startswith('/') else before}/{path}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


@_apply.register
def _(one: ast.Onbuild, config: Config) -> Config:
    return replace(config, on_build=(*(config.on_build or ()), one.trigger))


@_apply.register
def _(one: ast.Stopsignal, config: Config) -> Config:
    try:
        parse_signal(one.signal)
    except ValueError as error:
        raise GrammarError(str(error)) from None
    return replace(config, stop_signal=one.signal)


@_apply.register
def _(one: ast.Shell, config: Config) -> Config:
    return replace(config, shell=one.words)


@_apply.register
def _(one: ast.Healthcheck, config: Config) -> Config:
    if one.command is None:
        return replace(config, healthcheck=Healthcheck(test=("NONE",)))
    check = Healthcheck(
        test=("CMD-SHELL" if one.command.shell else "CMD", *one.command.words),
        interval=_duration(one.interval),
        timeout=_duration(one.timeout),
        start_period=_duration(one.start_period),
        start_interval=_duration(one.start_interval),
        retries=int(one.retries or 0),
    )
    return replace(config, healthcheck=check)


def _duration(text: str) -> int:
    return parse_duration(text) if text else 0
