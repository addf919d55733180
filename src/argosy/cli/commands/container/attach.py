"""``argosy attach``: connect to a running container's main program."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.running import attached, exits
from argosy.cli.session import Session
from argosy.cli.terminal import size
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    found = session.call(containers.inspect(values.arguments[0]))
    state, config, container = found["State"], found["Config"], str(found["Id"])
    for condition, message in (
        (not state.get("Running"), "cannot attach to a stopped container, start it first"),
        (state.get("Paused"), "cannot attach to a paused container, unpause it first"),
        (state.get("Restarting"), "cannot attach to a restarting container, wait until it is running"),
    ):
        if condition:
            raise ExitError(1, message)
    stdin = not values.switch("no-stdin") and bool(config.get("OpenStdin"))
    tty = bool(config.get("Tty"))
    attached.check_terminal(stdin, tty)
    spelling, watch = attached.detach_keys(session, values.text("detach-keys"))
    with attached.forwarding(session, container, values.switch("sig-proxy") and not tty):
        end = exits.Exit(session, container, removed=False)
        channel = session.new_client().hijack(containers.attach(container, stdin=stdin, detach_keys=spelling))
        with size.following(session, lambda rows, columns: containers.resize(container, rows, columns), tty, redraw=True):
            detached = attached.carry(channel, stdin=stdin, tty=tty, watch=watch)
        if detached:
            end.close()
            session.warn("read escape sequence")
            return 1
        return end.status()


COMMAND = Command(
    run,
    "CONTAINER",
    flags=(
        Flag("detach-keys", "", STRING, "Override the key sequence for detaching a container"),
        Flag("no-stdin", "", help="Do not attach STDIN"),
        Flag("sig-proxy", "", help="Proxy all received signals to the process", default=True, shown="true"),
    ),
    arity=exactly(1),
    complete="running",
    examples=(("argosy attach web", "ctrl-p ctrl-q leaves it running"),),
)
