"""A flag that is taken is read somewhere, or the page on compatibility says that it is not."""

import re
from pathlib import Path

import argosy.cli
from argosy.cli import registry
from argosy.cli.program import GLOBALS

UNREAD = {"compress", "disable-content-trust", "log-level"}
"""Each has its words in scripts/compatibility/reasons.py."""


def test_every_flag_is_read() -> None:
    source = "\n".join(path.read_text() for path in Path(argosy.cli.__path__[0]).rglob("*.py"))
    paths = {*registry.VERBS.values(), *(f"{noun} {verb}" for noun, group in registry.GROUPS.items() for verb in group.verbs)}
    names = {flag.name for path in paths for flag in registry.load(path).flags} | {flag.name for flag in GLOBALS}
    defined = re.findall(r'Flag\(\s*"([\w-]+)"', source)
    unread = {name for name in names if source.count(f'"{name}"') <= defined.count(name)}
    assert unread == UNREAD
