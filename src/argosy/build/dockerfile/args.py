"""Build arguments: what is visible where. https://docs.docker.com/reference/dockerfile/#arg"""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.build.dockerfile import ast
from argosy.build.dockerfile.errors import DockerfileError
from argosy.build.dockerfile.expand import ExpansionError, expand

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
PROXIES = frozenset([*_PROXIES, *(name.lower() for name in _PROXIES)])
"""Set in ``RUN`` without being declared, and no part of the cache's key."""

_PARTS = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")


@dataclass(frozen=True, slots=True)
class Platform:
    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    def arguments(self, prefix: str) -> dict[str, str]:
        return dict(zip([prefix + part for part in _PARTS], (str(self), self.os, self.os_version, self.architecture, self.variant)))


def predefined(*, build: Platform, target: Platform, stage: str, build_args: Mapping[str, str]) -> dict[str, str]:
    """Return BUILDPLATFORM, TARGETARCH and the like; ``--build-arg`` overrides them. ``stage`` is what ``--target`` said."""
    found = {**build.arguments("BUILD"), **target.arguments("TARGET"), "TARGETSTAGE": stage or "default"}
    return {name: build_args.get(name, value) for name, value in found.items()}


def global_scope(file: ast.Dockerfile, *, predefined: Mapping[str, str], build_args: Mapping[str, str]) -> dict[str, str]:
    """Return what ``FROM`` lines see. Raises DockerfileError."""
    scope = dict(predefined)
    for arg in file.args:
        for pair in arg.pairs:
            if pair.key in build_args:
                scope[pair.key] = build_args[pair.key]
            elif pair.default is not None:
                scope[pair.key] = _expanded(arg, pair.default, scope, file.escape)
    return scope


def declared(
    arg: ast.Arg, *, visible: Mapping[str, str], global_scope: Mapping[str, str], build_args: Mapping[str, str], escape: str = "\\"
) -> dict[str, str]:
    """Return the variables that an ``ARG`` within a stage adds to those visible; one without any value adds nothing.

    ``visible`` begins as the environment of the stage's base image; ``ENV`` and ``ARG`` add to it, the later one wins.
    Raises DockerfileError.
    """
    added: dict[str, str] = {}
    for pair in arg.pairs:
        name = _expanded(arg, pair.key, visible, escape)
        if name in build_args:
            added[name] = build_args[name]
        elif pair.default is not None:
            added[name] = _expanded(arg, pair.default, {**visible, **added}, escape)
        elif name in global_scope:
            added[name] = global_scope[name]
    return added


def proxies(build_args: Mapping[str, str]) -> dict[str, str]:
    """Return what ``RUN`` gets besides."""
    return {name: value for name, value in build_args.items() if name in PROXIES}


def unconsumed(file: ast.Dockerfile, build_args: Mapping[str, str], *, known: Mapping[str, str]) -> str:
    """Return Docker's warning about arguments that nothing declares, empty if there are none. ``known``: the predefined ones."""
    declared_names = {pair.key for arg in file.args for pair in arg.pairs}
    for stage in file.stages:
        declared_names |= {pair.key for one in stage.instructions if isinstance(one, ast.Arg) for pair in one.pairs}
    left = sorted(name for name in build_args if name not in declared_names and name not in PROXIES and name not in known)
    return f"[Warning] One or more build-args [{' '.join(left)}] were not consumed" if left else ""


def _expanded(arg: ast.Arg, word: str, scope: Mapping[str, str], escape: str) -> str:
    try:
        return expand(word, scope, escape=escape)
    except ExpansionError as error:
        raise DockerfileError(str(error), arg.location, arg.original) from None
