"""The command line's entry."""

import os
import sys

from argosy import __version__
from argosy.runtime.oci.arguments import COMMANDS, parse
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.log import log_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from argosy.runtime.oci.arguments import Arguments

DEFAULT_ROOT = "/run/argosy-runtime"
# command → (module, function): a command imports what it needs, and no more.
_COMMANDS = {
    "create": ("create", "create"),
    "run": ("create", "run"),
    "start": ("create", "start"),
    "state": ("report", "state"),
    "kill": ("control", "kill"),
    "delete": ("control", "delete"),
    "pause": ("control", "pause"),
    "resume": ("control", "resume"),
    "update": ("control", "update"),
    "ps": ("report", "ps"),
    "list": ("report", "list_"),
    "events": ("report", "events"),
    "features": ("report", "features"),
    "spec": ("report", "spec"),
    "exec": ("execute", "execute"),
}
_USAGE = """argosy-runtime: run containers from OCI bundles

usage: argosy-runtime [--root DIR] [--log FILE] [--log-format text|json] [--systemd-cgroup] COMMAND [options] ID

commands: """


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command and return the exit code."""
    log, form = "", "text"
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        log, form = arguments.text("log"), arguments.text("log-format", "text")
        if arguments.command == "version":
            sys.stdout.write(f"argosy-runtime version {__version__}\nspec: 1.2.1\n")
            return 0
        if arguments.command == "help":
            sys.stdout.write(_USAGE + " ".join(sorted(COMMANDS)) + "\n")
            return 0
        return _function(arguments.command)(arguments, arguments.text("root", DEFAULT_ROOT))
    except RuntimeFailed as error:
        message = _named(sys.argv[1:] if argv is None else argv, str(error))
        log_error(log, form, message)
        sys.stderr.write(message + "\n")
        return error.code
    except OSError as error:
        log_error(log, form, str(error))
        sys.stderr.write(f"{error}\n")
        return 1


def program() -> "NoReturn":
    """Be the whole process: it ends without the interpreter taking itself apart, which costs as much as a small command."""
    try:
        code = main()
        sys.stdout.flush()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    sys.stderr.flush()
    os._exit(code)


def _function(command: str) -> "Callable[[Arguments, str], int]":
    module, name = _COMMANDS[command]
    function: Callable[[Arguments, str], int] = getattr(__import__(f"argosy.runtime.oci.{module}", fromlist=[name]), name)
    return function


def _named(argv: "Sequence[str]", message: str) -> str:
    command = next((word for word in argv if word in ("create", "run", "exec")), "")
    return f"argosy-runtime {command} failed: {message}" if command in ("create", "run") else message


if __name__ == "__main__":
    program()
