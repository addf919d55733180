"""``argosy context inspect``."""

from __future__ import annotations

import os

from argosy.cli import inspecting
from argosy.cli.command import ANY, Command
from argosy.cli.flags import Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.session import Session
from argosy.client.contexts import Context, ContextStore, metadata
from argosy.client.host import DEFAULT_HOST


def run(session: Session, values: Values) -> int:
    store = ContextStore(session.directory)

    def find(name: str) -> dict[str, object]:
        if name == "default":
            host = session.environ.get("ARGOSY_HOST") or session.environ.get("DOCKER_HOST") or DEFAULT_HOST
            places = {"MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"}
            return {**metadata(Context("default", host)), "TLSMaterial": {}, "Storage": places}
        found = store.get(name)
        files = sorted(f"{file}.pem" for file in store.tls_files(name))
        places = {"MetadataPath": store.meta_directory(name), "TLSPath": os.path.dirname(store.tls_directory(name))}
        return {**metadata(found), "TLSMaterial": {"docker": files} if files else {}, "Storage": places}

    return inspecting.show(values.arguments or [session.context_name], values.text("format"), find)


COMMAND = Command(
    run,
    "[CONTEXT] [CONTEXT...]",
    flags=(DOCUMENT_FORMAT,),
    arity=ANY,
    complete="contexts+",
)
