"""``argosy volume create``."""

from __future__ import annotations

from argosy.cli.command import Command, at_most
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, MAP, STRING
from argosy.cli.opts import pairs
from argosy.cli.session import Session
from argosy.client import volumes


def run(session: Session, values: Values) -> None:
    name = values.text("name")
    if values.arguments:
        if name:
            raise ExitError(1, "conflicting options: cannot specify a volume-name through both --name and as a positional arg")
        name = values.arguments[0]
    document = {
        "Name": name,
        "Driver": values.text("driver"),
        "DriverOpts": pairs.mapping(values.texts("opt")),
        "Labels": pairs.mapping(values.texts("label")),
    }
    session.say(session.call(volumes.create(document))["Name"])


COMMAND = Command(
    run,
    "[VOLUME]",
    flags=(
        Flag("driver", "d", STRING, "Specify volume driver name", default="local", shown='"local"'),
        Flag("label", "", LIST.checked(pairs.label), "Set metadata for a volume"),
        Flag("name", "", STRING, "Specify volume name", hidden=True),
        Flag("opt", "o", MAP, "Set driver specific options"),
    ),
    arity=at_most(1),
    examples=(("argosy volume create -o type=tmpfs -o device=tmpfs -o o=size=100m fast", "kept in memory"),),
)
