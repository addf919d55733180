"""``argosy context use``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Values
from argosy.cli.session import Session
from argosy.client.contexts import ContextStore, load_config, save_config


def run(session: Session, values: Values) -> None:
    name = values.arguments[0]
    if name != "default":
        ContextStore(session.directory).get(name)
    config = load_config(session.directory)
    config.pop("currentContext", None)
    if name != "default":
        config["currentContext"] = name
    save_config(session.directory, config)
    session.say(name)
    session.warn(f'Current context is now "{name}"')
    for variable in ("ARGOSY_HOST", "DOCKER_HOST"):
        if session.environ.get(variable):
            session.warn(f"Warning: {variable} environment variable overrides the active context. Unset it to use this one.")
            break


COMMAND = Command(run, "CONTEXT", arity=exactly(1), complete="contexts")
