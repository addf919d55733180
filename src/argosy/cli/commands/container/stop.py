"""``argosy stop``."""

from __future__ import annotations

import sys
import time

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import INT, STRING
from argosy.cli.session import Session
from argosy.client import containers
from argosy.client.errors import ApiError

_KILLED = 128 + 9


def run(session: Session, values: Values) -> int:
    flag = "time" if values.given("time") else "timeout"
    seconds = values.number(flag) if values.given(flag) else None
    signal = values.text("signal")

    def stop(name: str) -> None:
        begin = time.monotonic()
        session.call(containers.stop(name, seconds, signal))
        # Only where somebody looks, and only when the grace period may have passed: asking costs a request.
        if sys.stderr.isatty() and seconds != 0 and time.monotonic() - begin >= 1:
            _explain(session, name)

    return each(session, values.arguments, stop)


def _explain(session: Session, name: str) -> None:
    """Tell of a stop that had to kill, and what helps."""
    try:
        state = session.call(containers.inspect(name))["State"]
    except (ApiError, KeyError):
        return
    if state.get("ExitCode") == _KILLED and not state.get("OOMKilled"):
        session.warn(f"{name} did not end at its stop signal and was killed. A program that ignores it as PID 1 ends at once with --init.")


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        Flag("signal", "s", STRING, "Signal to send to the container"),
        Flag("time", "", INT, hidden=True),
        Flag("timeout", "t", INT, "Seconds to wait before killing the container"),
    ),
    arity=SOME,
    complete="running+",
)
