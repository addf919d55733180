"""``argosy run``: create a container, start it, and stay connected to it unless ``-d``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.opts.container_flags import FLAGS
from argosy.cli.running import attached, exits
from argosy.cli.running.create import create, prepared, with_help
from argosy.cli.session import Session
from argosy.cli.terminal import raw, size
from argosy.client import containers
from argosy.client.errors import ApiError, ConnectionFailedError, StreamedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> int:
    wanted = prepared(session, values, "run")
    if values.switch("detach"):
        if values.texts("attach"):
            raise ExitError(1, "conflicting options: cannot specify both --attach and --detach")
        wanted.update(AttachStdin=False, AttachStdout=False, AttachStderr=False, StdinOnce=False)
    else:
        attached.check_terminal(wanted["AttachStdin"], wanted["Tty"])
    if wanted["Tty"] and (found := raw.size()) is not None:
        wanted["HostConfig"]["ConsoleSize"] = list(found)
    try:
        container = create(session, values, wanted)
    except ApiError as error:
        raise with_help(f"Error response from daemon: {error}", "run") from None
    except ConnectionFailedError as error:
        raise with_help(str(error) + (f"\n{error.advice}" if error.advice else ""), "run") from None
    except StreamedError as error:
        raise with_help(str(error), "run") from None
    if values.switch("detach"):
        _start(session, container, "")
        session.say(container)
        return 0
    return _stay(session, values, container, wanted)


def _stay(session: Session, values: Values, container: str, wanted: dict[str, Any]) -> int:
    """Attach first, then watch for the end, then start: so that not a byte and not the exit status is missed."""
    tty = bool(wanted["Tty"])
    streams = {"stdin": wanted["AttachStdin"], "stdout": wanted["AttachStdout"], "stderr": wanted["AttachStderr"]}
    spelling, watch = attached.detach_keys(session, values.text("detach-keys"))
    # Signals are taken before the start: one that comes in between must not end us and leave the container behind.
    with attached.forwarding(session, container, values.switch("sig-proxy")):
        channel = session.new_client().hijack(containers.attach(container, **streams, detach_keys=spelling))
        end = exits.Exit(session, container, removed=values.switch("rm"))
        try:
            _start(session, container, spelling)
        except ExitError:
            channel.close()
            if values.switch("rm"):
                end.status()
            raise
        with size.following(session, lambda rows, columns: containers.resize(container, rows, columns), tty):
            detached = attached.carry(channel, **streams, tty=tty, watch=watch)
        if detached:
            end.close()
            return 0
        return end.status()


def _start(session: Session, container: str, spelling: str) -> None:
    try:
        session.call(containers.start(container, spelling))
    except ApiError as error:
        raise with_help(f"Error response from daemon: {error}", "run", exits.of_failed_start(str(error))) from None


COMMAND = Command(
    run,
    "IMAGE [COMMAND] [ARG...]",
    flags=(
        *FLAGS,
        Flag("detach", "d", help="Run container in background and print container ID"),
        Flag("detach-keys", "", STRING, "Override the key sequence for detaching a container"),
        Flag("sig-proxy", "", help="Proxy received signals to the process", default=True, shown="true"),
    ),
    arity=SOME,
    interspersed=False,
    complete="images",
    failure=125,
    examples=(
        ("argosy run -it --rm debian bash", "a shell that is gone afterwards"),
        ("argosy run -d -p 8080:80 --name web httpd", "a server in the background"),
        ("argosy run --rm -v $PWD:/src -w /src gcc make", "a tool on your own files"),
        ("argosy run -m 256m --cpus 0.5 --pids-limit 100 app", "with limits"),
    ),
)
