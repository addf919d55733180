"""``argosy context export``: a tar as docker's, so that either client can import it."""

from __future__ import annotations

import json
import os
import sys

from argosy.cli.archive.pack import Entry, pack
from argosy.cli.command import Arity, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.output import files
from argosy.cli.session import Session
from argosy.client.contexts import ContextStore, metadata


def run(session: Session, values: Values) -> None:
    name = values.arguments[0]
    target = values.arguments[1] if len(values.arguments) > 1 else f"{name}.dockercontext"
    if target == "-" and sys.stdout.isatty():
        raise ExitError(1, "cowardly refusing to export to a terminal, specify a file path")
    if target != "-" and os.path.exists(target):
        raise ExitError(1, f"open {target}: file exists")
    store = ContextStore(session.directory)
    entries = [Entry("meta.json", content=json.dumps(metadata(store.get(name)), separators=(",", ":")).encode())]
    for file, path in store.tls_files(name).items():
        with open(path, "rb") as source:
            entries.append(Entry(f"tls/docker/{file}.pem", content=source.read()))
    # It may hold a key.
    before = os.umask(0o077)
    try:
        files.write("" if target == "-" else target, pack(iter(entries)))
    finally:
        os.umask(before)
    if target != "-":
        session.warn(f'Written file "{target}"')


COMMAND = Command(run, "CONTEXT [FILE|-]", arity=Arity(1, 2), complete="contexts")
