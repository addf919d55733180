"""``argosy commit``."""

from __future__ import annotations

from argosy.cli.command import Arity, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, STRING
from argosy.cli.images.names import split
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    repository, tag = split(values.arguments[1]) if len(values.arguments) > 1 and values.arguments[1] else ("", "")
    call = containers.commit(
        values.arguments[0],
        repository=repository,
        tag=tag,
        comment=values.text("message"),
        author=values.text("author"),
        changes=values.texts("change"),
        pause=values.switch("pause"),
    )
    session.say(session.call(call)["Id"])


COMMAND = Command(
    run,
    "CONTAINER [REPOSITORY[:TAG]]",
    flags=(
        Flag("author", "a", STRING, 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
        Flag("change", "c", LIST, "Apply Dockerfile instruction to the created image"),
        Flag("message", "m", STRING, "Commit message"),
        Flag("pause", "p", help="Pause container during commit", default=True, shown="true"),
    ),
    arity=Arity(1, 2),
    complete="containers",
    examples=(("argosy commit -c 'CMD [\"httpd\"]' web site:1", "with a command of its own"),),
)
