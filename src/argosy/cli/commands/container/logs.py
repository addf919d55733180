"""``argosy logs``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.opts.moments import moment
from argosy.cli.session import Session
from argosy.cli.terminal.pump import write_all
from argosy.client import containers
from argosy.client.stdcopy import STDERR, Demultiplexer


def run(session: Session, values: Values) -> None:
    since, until = moment(values.text("since"), "since"), moment(values.text("until"), "until")
    found = session.call(containers.inspect(values.arguments[0]))
    stream = session.stream(
        containers.logs(
            str(found["Id"]),
            follow=values.switch("follow"),
            since=since,
            until=until,
            timestamps=values.switch("timestamps"),
            details=values.switch("details"),
            tail=values.text("tail"),
        )
    )
    if found["Config"].get("Tty"):
        for piece in stream:
            write_all(1, piece)
        return
    demultiplexer = Demultiplexer()
    for piece in stream:
        for source, payload in demultiplexer.feed(piece):
            write_all(2 if source >= STDERR else 1, payload)


COMMAND = Command(
    run,
    "CONTAINER",
    flags=(
        Flag("details", "", help="Show extra details provided to logs"),
        Flag("follow", "f", help="Follow log output"),
        Flag("since", "", STRING, 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
        Flag("tail", "n", STRING, "Number of lines to show from the end of the logs", default="all", shown='"all"'),
        Flag("timestamps", "t", help="Show timestamps"),
        Flag("until", "", STRING, 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    ),
    arity=exactly(1),
    complete="containers",
    examples=(("argosy logs -f --tail 20 web", "the last lines and all that follow"),),
)
