"""``argosy update``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.opts import OptionError, resources
from argosy.cli.opts.container import resource_limits
from argosy.cli.opts.container_flags import FLAGS
from argosy.cli.session import Session
from argosy.client import containers

_NAMES = (
    *("blkio-weight", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus", "cpuset-cpus", "cpuset-mems"),
    *("memory", "memory-reservation", "memory-swap", "pids-limit"),
)


def run(session: Session, values: Values) -> int:
    if not any(values.given(name) for name in (*_NAMES, "restart")):
        raise ExitError(1, "you must provide one or more flags when using this command")
    document = resource_limits(values)
    if values.given("restart"):
        try:
            document["RestartPolicy"] = resources.restart_policy(values.text("restart"))
        except OptionError as error:
            raise ExitError(1, str(error)) from None

    def update(name: str) -> None:
        for warning in session.call(containers.update(name, document)).get("Warnings") or []:
            session.warn(warning)

    return each(session, values.arguments, update)


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        *(flag for flag in FLAGS if flag.name in _NAMES),
        Flag("restart", "", STRING, "Restart policy to apply when a container exits"),
    ),
    arity=SOME,
    complete="containers+",
    examples=(("argosy update -m 1g --memory-swap 1g db", "while it runs"),),
)
