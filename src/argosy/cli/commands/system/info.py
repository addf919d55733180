"""``argosy info``."""

from __future__ import annotations

import sys

from argosy.base.errors import ArgosyError
from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.output.document import templated
from argosy.cli.output.info import server
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.cli.template.values import to_json
from argosy.client import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> int:
    from argosy import __version__

    client: dict[str, Any] = {"Version": __version__, "Context": session.endpoint.context, "Debug": session.debug}
    found: dict[str, Any] = {}
    problem = ""
    try:
        found = session.call(system.info())
    except ArgosyError as error:
        problem = describe(error)
    form = values.text("format")
    if form:
        document = {**found, "ServerErrors": [problem], "ClientInfo": client} if problem else {**found, "ClientInfo": client}
        _formatted(form, document)
        if problem:
            raise ExitError(1, problem)
        return 0
    sys.stdout.write(
        f"Client:\n Version:    {client['Version']}\n Context:    {client['Context']}\n Debug Mode: {str(session.debug).lower()}\n"
    )
    sys.stdout.write("\nServer:\n")
    if problem:
        raise ExitError(1, f"ERROR: {problem}\nerrors pretty printing info")
    sys.stdout.write(server(found) + "\n")
    for warning in found.get("Warnings") or []:
        session.warn(warning)
    return 0


def _formatted(form: str, document: dict[str, Any]) -> None:
    if form in ("json", "jsonl"):
        sys.stdout.write(to_json(document) + "\n")
    elif form == "yaml":
        from argosy.cli.output.yaml import dump

        sys.stdout.write(dump(document))
    else:
        sys.stdout.write(templated(document, form) + "\n")


COMMAND = Command(run, flags=(DOCUMENT_FORMAT,))
