"""``argosy create``: make a container and print its id."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.flags import Values
from argosy.cli.opts.container_flags import FLAGS
from argosy.cli.running.create import create, prepared
from argosy.cli.session import Session


def run(session: Session, values: Values) -> None:
    session.say(create(session, values, prepared(session, values, "create")))


COMMAND = Command(
    run,
    "IMAGE [COMMAND] [ARG...]",
    flags=FLAGS,
    arity=SOME,
    interspersed=False,
    complete="images",
    examples=(("argosy create --name job alpine ./work", "then: argosy start -a job"),),
)
