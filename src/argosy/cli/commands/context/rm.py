"""``argosy context rm``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.session import Session
from argosy.client.contexts import ContextError, ContextStore, load_config, save_config


def run(session: Session, values: Values) -> int:
    store, force = ContextStore(session.directory), values.switch("force")

    def remove(name: str) -> None:
        if name == "default":
            raise ExitError(1, 'context "default" cannot be removed')
        config = load_config(session.directory)
        if config.get("currentContext") == name:
            if not force:
                raise ExitError(1, f'context "{name}" is in use, set -f flag to force remove')
            del config["currentContext"]
            save_config(session.directory, config)
        try:
            store.remove(name)
        except ContextError:
            if not force:
                raise

    return each(session, values.arguments, remove)


COMMAND = Command(
    run,
    "CONTEXT [CONTEXT...]",
    flags=(Flag("force", "f", help="Force the removal of a context in use"),),
    arity=SOME,
    complete="contexts+",
)
