"""``argosy rename``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.client import containers
from argosy.client.errors import ApiError


def run(session: Session, values: Values) -> None:
    old, new = (name.strip() for name in values.arguments)
    if not old or not new:
        raise ExitError(1, "Error: Neither old nor new names may be empty")
    try:
        session.call(containers.rename(old, new))
    except ApiError as error:
        raise ExitError(1, f"{describe(error)}\nError: failed to rename container named {old}") from None


COMMAND = Command(run, "CONTAINER NEW_NAME", arity=exactly(2), complete="containers")
