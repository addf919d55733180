"""Documents as inspect, info and version print them: indented JSON, YAML, or through a template."""

from __future__ import annotations

import json
import sys

from argosy.cli.errors import ExitError
from argosy.cli.template.evaluate import render
from argosy.cli.template.lexer import TemplateError
from argosy.cli.template.parser import parse
from argosy.cli.template.values import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def indented(value: object) -> str:
    """docker's indentation."""
    return json.dumps(value, indent=4, ensure_ascii=False)


def show(documents: Sequence[object], wanted: str) -> None:
    """Print documents: as one array without a format, else one after another. Raises ExitError (64 for a broken template, as docker)."""
    if not wanted:
        sys.stdout.write((indented(list(documents)) if documents else "[]") + "\n")
        return
    if wanted == "json":
        sys.stdout.write(to_json(list(documents)) + "\n")
        return
    if wanted == "jsonl":
        sys.stdout.write("".join(to_json(document) + "\n" for document in documents))
        return
    if wanted == "yaml":
        from argosy.cli.output.yaml import dump

        sys.stdout.write(dump(list(documents)))
        return
    for document in documents:
        try:
            text = templated(document, wanted)
        except ExitError as error:
            if error.code == 1:
                # docker ends the line that it had begun.
                sys.stdout.write("\n")
            raise
        sys.stdout.write(text + "\n")


def templated(document: object, wanted: str) -> str:
    try:
        template = parse(wanted)
    except TemplateError as error:
        raise ExitError(64, f"template parsing error: {error}") from None
    try:
        return render(template, document)
    except TemplateError as error:
        raise ExitError(1, f"template parsing error: {error}") from None
