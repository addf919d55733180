"""``--docker host=tcp://…,ca=…,cert=…,key=…,skip-tls-verify=true,from=…``."""

from __future__ import annotations

from argosy.cli.errors import ExitError
from argosy.cli.flags.kinds import parse_bool, split_csv
from argosy.client.contexts import TLS_FILES, Context, ContextStore
from argosy.client.errors import InvalidHostError
from argosy.client.host import parse_host

_KEYS = ("host", "from", "skip-tls-verify", *TLS_FILES)


def endpoint(store: ContextStore, text: str) -> tuple[str, bool, dict[str, bytes] | None]:
    """Return the address, whether certificates go unchecked, and the certificates' contents. Raises ExitError in docker's words."""
    fields: dict[str, str] = {}
    for field in split_csv(text):
        key, equals, value = field.partition("=")
        if not equals:
            raise ExitError(125, f'invalid argument "{text}" for "--docker" flag: {field} must be formatted as key=value')
        if key not in _KEYS:
            raise ExitError(1, f'unrecognized config key "{key}", valid keys: {", ".join(_KEYS)}')
        fields[key] = value
    if source := fields.get("from"):
        found = store.get(source)
        return found.host, found.skip_tls_verify, _files(store.tls_files(source))
    try:
        parse_host(fields.get("host", ""))
    except InvalidHostError as error:
        raise ExitError(1, str(error)) from None
    try:
        skip = parse_bool(fields.get("skip-tls-verify") or "false")
    except ValueError as error:
        raise ExitError(1, f"invalid argument for skip-tls-verify: {error}") from None
    return fields.get("host", ""), skip, _files({key: fields[key] for key in TLS_FILES if fields.get(key)})


def _files(paths: dict[str, str]) -> dict[str, bytes] | None:
    out: dict[str, bytes] = {}
    for key, path in paths.items():
        try:
            with open(path, "rb") as file:
                out[key] = file.read()
        except OSError as error:
            raise ExitError(1, f"unable to create docker endpoint config: open {path}: {(error.strerror or '').lower()}") from None
    return out or None


def build(store: ContextStore, name: str, description: str, docker: str) -> tuple[Context, dict[str, bytes] | None]:
    """Return a context with what the options say."""
    host, skip, tls = endpoint(store, docker)
    return Context(name, host, description, skip), tls
