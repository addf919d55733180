"""``argosy logout``."""

from __future__ import annotations

from argosy.cli.command import Command, at_most
from argosy.cli.commands.top_level.login import registry_key
from argosy.cli.flags import Values
from argosy.cli.images.credentials import Logins
from argosy.cli.session import Session


def run(session: Session, values: Values) -> None:
    registry = registry_key(values.arguments[0] if values.arguments else "")
    session.say(f"Removing login credentials for {registry}" if Logins(session).forget(registry) else f"Not logged in to {registry}")


COMMAND = Command(
    run,
    "[SERVER]",
    arity=at_most(1),
    about="Log out from a registry.\nIf no server is specified, the default is Docker Hub.",
)
