"""``--format`` as many commands have it."""

from __future__ import annotations

from argosy.cli.flags.flag import Flag
from argosy.cli.flags.kinds import STRING

_TEMPLATE = "'TEMPLATE':         Print output using the given Go template"

LIST_FORMAT = Flag(
    "format",
    "",
    STRING,
    "Format output using a custom template:\n"
    "'table':            Print output in table format with column headers (default)\n"
    "'table TEMPLATE':   Print output in table format using the given Go template\n"
    "'json', 'jsonl':    Print one JSON object a line\n"
    "'yaml':             Print in YAML format\n" + _TEMPLATE,
)
DOCUMENT_FORMAT = Flag(
    "format",
    "f",
    STRING,
    "Format output using a custom template:\n'json':             Print in JSON format\n'yaml':             Print in YAML format\n"
    + _TEMPLATE,
)
