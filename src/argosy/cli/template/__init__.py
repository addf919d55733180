"""Go's text/template as far as ``--format`` of docker's commands uses it (https://pkg.go.dev/text/template).

Fields, pipelines, variables, if/else if/else, with, range with break and continue, comparison, logic, printf, and docker's own
functions. Not served: define, block, template, and calls of methods.
"""

from argosy.cli.template.evaluate import render
from argosy.cli.template.lexer import TemplateError
from argosy.cli.template.nodes import Template
from argosy.cli.template.parser import parse

__all__ = ["Template", "TemplateError", "parse", "render"]
