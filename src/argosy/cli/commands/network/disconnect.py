"""``argosy network disconnect``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.session import Session
from argosy.client import networks


def run(session: Session, values: Values) -> None:
    network, container = values.arguments
    session.call(networks.disconnect(network, container, force=values.switch("force")))


COMMAND = Command(
    run,
    "NETWORK CONTAINER",
    flags=(Flag("force", "f", help="Force the container to disconnect from a network"),),
    arity=exactly(2),
    complete="networks containers",
)
