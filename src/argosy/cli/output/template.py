"""``--format`` templates: docker's escapes and docker's words when one fails."""

from __future__ import annotations

from argosy.cli.errors import ExitError
from argosy.cli.template.evaluate import render
from argosy.cli.template.lexer import TemplateError
from argosy.cli.template.nodes import Template
from argosy.cli.template.parser import parse


def compiled(source: str) -> Template:
    """Parse a template in which ``\\t`` and ``\\n`` may be written; raises ExitError."""
    try:
        return parse(source.replace("\\t", "\t").replace("\\n", "\n"))
    except TemplateError as error:
        raise ExitError(1, f"failed to parse template: {error}") from None


def executed(template: Template, data: object, go_type: str = "") -> str:
    """Return the text; raises ExitError. ``go_type`` takes the place of our own class in the message."""
    try:
        return render(template, data)
    except TemplateError as error:
        text = str(error)
        for ours in ("Row", "_Headers"):
            text = text.replace(f"in type {ours}", f"in type {go_type or ours}")
        raise ExitError(1, f"failed to execute template: {text}") from None
