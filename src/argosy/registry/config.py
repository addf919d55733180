"""Configuration: one TOML file, and flags that win over it. Every key is described in docs/registry.md."""

import os
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration, parse_size


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    pass


class Tls(_Section, frozen=True):
    certificate: str
    key: str
    client_ca: str = ""
    """With it only clients that show a certificate of this authority are let in."""


class TokenAuth(_Section, frozen=True):
    realm: str
    """URL of the token server."""
    service: str
    issuer: str
    certificates: tuple[str, ...] = ()
    """PEM files: keys of the token server, or authorities that signed them."""
    jwks: str = ""
    """File with a JSON Web Key Set."""


class Auth(_Section, frozen=True):
    htpasswd: str = ""
    realm: str = "Argosy registry"
    token: TokenAuth | None = None


class Access(_Section, frozen=True):
    """Users named here may do the actions on repositories that match. ``*`` is everybody who has logged in."""

    users: tuple[str, ...]
    repositories: tuple[str, ...]
    actions: tuple[str, ...]


class Quota(_Section, frozen=True):
    total: str = ""
    repository: str = ""
    repositories: dict[str, str] = {}


class Gc(_Section, frozen=True):
    interval: str = "24h"
    grace: str = "1h"
    uploads: str = "24h"
    untagged: bool = False


class Retention(_Section, frozen=True):
    repositories: str = "**"
    tags: str = "*"
    keep: int | None = None
    younger: str = ""


class Proxy(_Section, frozen=True):
    url: str
    user: str = ""
    password_file: str = ""
    ttl: str = "1h"
    ca: str = ""


class Config(_Section, frozen=True):
    root: str = "/var/lib/argosy-registry"
    listen: tuple[str, ...] = ("127.0.0.1:5000",)
    log_level: str = "info"
    read_only: bool = False
    page: bool = True
    tls: Tls | None = None
    auth: Auth = Auth()
    access: tuple[Access, ...] = ()
    quota: Quota = Quota()
    gc: Gc = Gc()
    retention: tuple[Retention, ...] = ()
    proxy: Proxy | None = None


def load(path: str, flags: Mapping[str, Any]) -> Config:
    """Return the configuration of a file (none: the defaults) with flags laid over it.

    Flags are dotted keys (``gc.grace``). Raises InvalidParameterError that names the key and what is wrong with it.
    """
    values: dict[str, Any] = {}
    if path:
        try:
            with open(path, "rb") as file:
                values = tomllib.load(file)
        except OSError as error:
            raise InvalidParameterError(f"cannot read {path}: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise InvalidParameterError(f"{path}: {error}") from error
    for key, value in flags.items():
        _lay(values, key.split("."), value)
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise InvalidParameterError(f"{path or 'flags'}: {error}") from error
    _check(config)
    return config


def _lay(values: dict[str, Any], keys: list[str], value: Any) -> None:
    *above, last = keys
    for key in above:
        values = values.setdefault(key, {})
    if isinstance(value, list) and last == "access":
        value = [*values.get(last, []), *value]
    values[last] = value


def _check(config: Config) -> None:
    for key, text in (
        ("gc.interval", config.gc.interval),
        ("gc.grace", config.gc.grace),
        ("gc.uploads", config.gc.uploads),
        ("proxy.ttl", config.proxy.ttl if config.proxy else "0"),
    ):
        seconds(text, key)
    for rule in config.retention:
        if (rule.keep is None) == (not rule.younger):
            raise InvalidParameterError("retention: a rule has either keep (how many tags) or younger (how old at most)")
        seconds(rule.younger or "0", "retention.younger")
    for key, text in (
        ("quota.total", config.quota.total),
        ("quota.repository", config.quota.repository),
        *config.quota.repositories.items(),
    ):
        size(text, key)
    for access in config.access:
        for action in access.actions:
            if action not in ("pull", "push", "delete"):
                raise InvalidParameterError(f"access: {action!r} is no action; they are pull, push and delete")
    if config.auth.htpasswd and config.auth.token:
        raise InvalidParameterError("auth: either htpasswd or token, not both")
    if config.access and not config.auth.htpasswd:
        raise InvalidParameterError("access rules need auth.htpasswd (a token server says itself what its users may do)")
    if config.log_level not in ("debug", "info", "warning", "error"):
        raise InvalidParameterError(f"log-level: {config.log_level!r} is none of debug, info, warning, error")


def seconds(text: str, key: str) -> float:
    """Return seconds of ``90m`` or ``30d``. Raises InvalidParameterError."""
    try:
        if text.endswith("d") and text[:-1].isdigit():
            return int(text[:-1]) * 86400.0
        return parse_duration(text) / 1e9
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{key}: {error}") from error


def size(text: str, key: str) -> int:
    """Return bytes of ``10g``, 0 of nothing. Raises InvalidParameterError."""
    try:
        return parse_size(text) if text else 0
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{key}: {error}") from error


def secret(path: str) -> str:
    """Return the first line of a file. Raises InvalidParameterError."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except OSError as error:
        raise InvalidParameterError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
