"""``argosy exec``: run another program in a running container."""

from __future__ import annotations

from argosy.cli.command import Arity, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, STRING
from argosy.cli.opts import OptionError, pairs
from argosy.cli.running import attached
from argosy.cli.session import Session
from argosy.cli.terminal import raw, size
from argosy.client import containers, execs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> int:
    container, *command = values.arguments
    detach, tty = values.switch("detach"), values.switch("tty")
    stdin = values.switch("interactive") and not detach
    spelling, watch = attached.detach_keys(session, values.text("detach-keys"))
    try:
        env = pairs.environment(values.texts("env"), values.texts("env-file"), session.environ)
    except OptionError as error:
        raise ExitError(1, str(error)) from None
    # Asked for first because "no such container" is more useful than "not a terminal".
    session.call(containers.inspect(container))
    if not detach:
        attached.check_terminal(stdin, tty)
    wanted: dict[str, Any] = {
        "User": values.text("user"),
        "Privileged": values.switch("privileged"),
        "Tty": tty,
        "AttachStdin": stdin,
        "AttachStdout": not detach,
        "AttachStderr": not detach,
        "DetachKeys": spelling,
        "Env": env,
        "WorkingDir": values.text("workdir"),
        "Cmd": command,
    }
    found = raw.size() if tty else None
    if found is not None:
        wanted["ConsoleSize"] = list(found)
    identifier = str(session.call(execs.create(container, wanted))["Id"])
    if detach:
        session.call(execs.start_detached(identifier, tty=tty))
        return 0
    channel = session.new_client().hijack(execs.start(identifier, tty=tty, size=found))
    with size.following(session, lambda rows, columns: execs.resize(identifier, rows, columns), tty and stdin):
        detached = attached.carry(channel, stdin=stdin, tty=tty, watch=watch)
    if detached:
        session.warn("read escape sequence")
        return 1
    return int(session.call(execs.inspect(identifier)).get("ExitCode") or 0)


COMMAND = Command(
    run,
    "CONTAINER COMMAND [ARG...]",
    flags=(
        Flag("detach", "d", help="Detached mode: run command in the background"),
        Flag("detach-keys", "", STRING, "Override the key sequence for detaching a container"),
        Flag("env", "e", LIST.checked(pairs.environment_variable), "Set environment variables"),
        Flag("env-file", "", LIST, "Read in a file of environment variables", complete="files"),
        Flag("interactive", "i", help="Keep STDIN open even if not attached"),
        Flag("privileged", "", help="Give extended privileges to the command"),
        Flag("tty", "t", help="Allocate a pseudo-TTY"),
        Flag("user", "u", STRING, 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
        Flag("workdir", "w", STRING, "Working directory inside the container"),
    ),
    arity=Arity(2, None),
    interspersed=False,
    complete="running",
    examples=(
        ("argosy exec -it web sh", "a shell beside the running program"),
        ("argosy exec -u nobody -w /tmp web id", "as another user"),
    ),
)
