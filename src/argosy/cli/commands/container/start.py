"""``argosy start``: start stopped containers, or one with its streams attached."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.command import SOME, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.program import describe
from argosy.cli.running import attached, exits
from argosy.cli.session import Session
from argosy.cli.terminal import size
from argosy.client import containers
from argosy.client.call import Call


def run(session: Session, values: Values) -> int:
    spelling, watch = attached.detach_keys(session, values.text("detach-keys"))
    if values.switch("attach") or values.switch("interactive"):
        if len(values.arguments) > 1:
            raise ExitError(1, "you cannot start and attach multiple containers at once")
        return _attached(session, values, spelling, watch)
    if values.text("checkpoint") and len(values.arguments) > 1:
        raise ExitError(1, "you cannot restore multiple containers at once")
    failed = []
    for container in values.arguments:
        try:
            session.call(_start(values, container, spelling))
        except ArgosyError as error:
            session.warn(describe(error))
            failed.append(container)
        else:
            session.say(container)
    if failed:
        raise ExitError(1, f"Error: failed to start containers: {', '.join(failed)}")
    return 0


def _start(values: Values, container: str, spelling: str) -> Call[None]:
    """Checkpoints are the daemon's to refuse."""
    return containers.start(container, spelling, checkpoint=values.text("checkpoint"), checkpoint_dir=values.text("checkpoint-dir"))


def _attached(session: Session, values: Values, spelling: str, watch: bytes) -> int:
    found = session.call(containers.inspect(values.arguments[0]))
    container, config = str(found["Id"]), found["Config"]
    tty = bool(config.get("Tty"))
    stdin = values.switch("interactive") and bool(config.get("OpenStdin"))
    with attached.forwarding(session, container, not tty):
        channel = session.new_client().hijack(containers.attach(container, stdin=stdin, detach_keys=spelling))
        end = exits.Exit(session, container, removed=bool(found["HostConfig"].get("AutoRemove")))
        try:
            session.call(_start(values, container, spelling))
        except BaseException:
            channel.close()
            end.close()
            raise
        with size.following(session, lambda rows, columns: containers.resize(container, rows, columns), tty):
            detached = attached.carry(channel, stdin=stdin, tty=tty, watch=watch)
        if detached:
            end.close()
            return 0
        return end.status()


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        Flag("attach", "a", help="Attach STDOUT/STDERR and forward signals"),
        Flag("checkpoint", "", STRING, "Restore from this checkpoint", hidden=True),
        Flag("checkpoint-dir", "", STRING, "Use a custom checkpoint storage directory", hidden=True),
        Flag("detach-keys", "", STRING, "Override the key sequence for detaching a container"),
        Flag("interactive", "i", help="Attach container's STDIN"),
    ),
    arity=SOME,
    complete="stopped+",
    examples=(("argosy start -ai job", "start it and stay connected"),),
)
