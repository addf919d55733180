"""``argosy network rm``."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.command import SOME, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.client import networks
from argosy.client.errors import ApiError, ConnectionFailedError


def run(session: Session, values: Values) -> None:
    failed = False
    for name in values.arguments:
        try:
            session.call(networks.remove(name))
        except ConnectionFailedError:
            raise
        except ArgosyError as error:
            if values.switch("force") and isinstance(error, ApiError) and error.status == 404:
                continue
            session.warn(describe(error))
            failed = True
        else:
            session.say(name)
    if failed:
        # docker says nothing more useful here either, and scripts compare it.
        raise ExitError(1, "exit status 1")


COMMAND = Command(
    run,
    "NETWORK [NETWORK...]",
    flags=(Flag("force", "f", help="Do not error if the network does not exist"),),
    arity=SOME,
    complete="networks+",
)
