"""``argosy registry serve``: the server is a program of its own, and takes this one's place."""

from __future__ import annotations

from argosy.cli.command import ANY, Command
from argosy.cli.flags import Values
from argosy.cli.session import Session


def become(verb: str, words: list[str]) -> None:
    """Go on as ``argosy-registry VERB WORDS``: of this very installation, whatever PATH finds."""
    import os
    import sys

    os.execv(sys.executable, [sys.executable, "-m", "argosy.registry", verb, *words])


def run(_session: Session, values: Values) -> None:
    become("serve", list(values.arguments))


_ABOUT = (
    "Serve an image registry: push to it and pull from it, at 127.0.0.1:5000 unless told otherwise.\n\n"
    "The options are those of 'argosy-registry serve --help'."
)
COMMAND = Command(run, "[OPTIONS]", arity=ANY, raw=True, about=_ABOUT)
