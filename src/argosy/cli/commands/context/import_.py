"""``argosy context import``."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.session import Session
from argosy.client.contexts import TLS_FILES, ContextStore, check_name, parse_metadata

# More than any description and three certificates; what is larger is not a context.
_LARGEST = 10 << 20


def run(session: Session, values: Values) -> None:
    name, path = values.arguments
    store = ContextStore(session.directory)
    check_name(name)
    if store.exists(name):
        raise ExitError(1, f'context "{name}" already exists')
    if path == "-":
        content = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        try:
            with open(path, "rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError as error:
            raise ExitError(1, f"open {path}: {(error.strerror or '').lower()}") from None
    if len(content) > _LARGEST:
        raise ExitError(1, "invalid context: read exceeds the defined limit")
    found = _files(content)
    try:
        context = parse_metadata(json.loads(found["meta.json"]))
    except (KeyError, ValueError, AttributeError):
        raise ExitError(1, "invalid context: no metadata found") from None
    context.name = name
    store.put(context, {file: found[f"tls/docker/{file}.pem"] for file in TLS_FILES if f"tls/docker/{file}.pem" in found})
    session.say(name)
    session.warn(f'Successfully imported context "{name}"')


def _files(content: bytes) -> dict[str, bytes]:
    """Return what the archive holds, by name; only names that we know are ever used, so no path of it matters."""
    try:
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return {one: archive.read(one) for one in archive.namelist() if archive.getinfo(one).file_size <= _LARGEST}
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as tar:
            members = [member for member in tar if member.isreg() and member.size <= _LARGEST]
            return {member.name: source.read() for member in members if (source := tar.extractfile(member)) is not None}
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise ExitError(1, f"invalid context: {error}") from None


COMMAND = Command(run, "CONTEXT FILE|-", arity=exactly(2), complete="files")
