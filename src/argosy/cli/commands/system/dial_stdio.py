"""``argosy system dial-stdio``: our standard streams become a connection to the daemon. The far end of ssh:// hosts."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Values
from argosy.cli.session import Session
from argosy.cli.terminal.pump import Pump
from argosy.client.dial import dial
from argosy.client.sync import Channel


def run(session: Session, _values: Values) -> None:
    Pump(Channel(dial(session.endpoint), b"", ""), stdin=True, framed=False).run()


COMMAND = Command(run)
