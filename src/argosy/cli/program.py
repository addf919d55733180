"""From an argument vector to an exit status: global options, finding the verb, and what becomes of each error."""

from __future__ import annotations

import os
import sys

from argosy.base.errors import ArgosyError
from argosy.cli import registry
from argosy.cli.errors import ArgumentsError, ExitError, UsageError
from argosy.cli.flags import Flag, parse
from argosy.cli.flags.kinds import LIST, STRING
from argosy.cli.flags.parse import HelpWanted
from argosy.cli.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.command import Command
    from argosy.cli.flags import Values

FLAG_ERROR = 125

GLOBALS = (
    Flag("config", "", STRING, "Location of client config files"),
    Flag(
        "context",
        "c",
        STRING,
        "Name of the context to use to connect to the daemon (overrides ARGOSY_HOST, DOCKER_HOST)",
        complete="contexts",
    ),
    Flag("debug", "D", help="Enable debug mode"),
    Flag("host", "H", LIST, "Daemon socket to connect to"),
    Flag("log-level", "l", STRING, 'Set the logging level ("debug", "info", "warn", "error", "fatal")', default="info", shown='"info"'),
    Flag("tls", "", help="Use TLS; implied by --tlsverify"),
    Flag("tlscacert", "", STRING, "Trust certs signed only by this CA"),
    Flag("tlscert", "", STRING, "Path to TLS certificate file"),
    Flag("tlskey", "", STRING, "Path to TLS key file"),
    Flag("tlsverify", "", help="Use TLS and verify the remote"),
    Flag("version", "v", help="Print version information and quit"),
)


def run(argv: list[str]) -> int:
    """Carry out ``argosy ARGV`` and return its exit status."""
    try:
        return _run(argv)
    except ExitError as error:
        return _complain(str(error), error.code)
    except BrokenPipeError:
        # The reader of our output has gone, as with `| head`; Python would complain again while exiting.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except KeyboardInterrupt:
        return 130


def _run(argv: list[str]) -> int:
    try:
        values = parse(GLOBALS, argv, interspersed=False)
    except HelpWanted:
        return _program_help()
    except UsageError as error:
        return _complain(f"{error}\n\nUsage:  argosy [OPTIONS] COMMAND\n\nRun 'argosy --help' for more information", FLAG_ERROR)
    words = values.arguments
    if values.switch("version"):
        from argosy import __version__

        print(f"Argosy version {__version__}")
        return 0
    if not words:
        return _program_help()
    if words[0] == "help":
        words = [*words[1:], "--help"]
        if words == ["--help"]:
            return _program_help()
    if words[0] == "__complete":
        return _complete(values, words[1:])
    session = Session.from_globals(values)
    full, rest = registry.resolve(words)
    if " " not in full and full not in registry.VERBS.values():
        return _group(words, full, rest)
    path = " ".join(("argosy", *words[: len(words) - len(rest)]))
    return invoke(session, path, registry.load(full), rest)


def _complete(values: Values, words: list[str]) -> int:
    from argosy.cli.completion.candidates import candidates

    try:
        typed = parse(GLOBALS, words[:-1], interspersed=False)
    except (HelpWanted, UsageError):
        typed = values
    # The daemon that the line being typed asks for, else the one that this program was told.
    session = Session.from_globals(typed if typed.texts("host") or typed.given("context") else values)
    try:
        for word, about in candidates(session, words, GLOBALS):
            print(f"{word}\t{about}")
    finally:
        session.close()
    return 0


def _program_help() -> int:
    from argosy.cli import help as help_

    print(help_.of_program(GLOBALS))
    return 0


def _group(words: list[str], noun: str, rest: list[str]) -> int:
    """Only a noun, or a verb that does not exist."""
    from argosy.base.suggest import nearest
    from argosy.cli import help as help_

    if not noun:
        known = [*registry.VERBS, *registry.GROUPS]
        guess = nearest(words[0], known)
        hint = f" Did you mean '{guess}'?" if guess else ""
        return _complain(f"argosy: '{words[0]}' is not an argosy command.{hint}\n\nRun 'argosy --help' for more information", 1)
    group = registry.GROUPS[noun]
    if not rest or rest[0] in ("--help", "-h"):
        print(help_.of_group(f"argosy {noun}", group))
        return 0
    if rest[0].startswith("-"):
        return _complain(
            f"unknown flag: {rest[0]}\n\nUsage:  argosy {noun} COMMAND\n\nRun 'argosy {noun} --help' for more information", FLAG_ERROR
        )
    guess = nearest(rest[0], [*group.verbs, *group.aliases])
    hint = f" Did you mean '{guess}'?" if guess else ""
    text = f"argosy: unknown command: argosy {noun} {rest[0]}.{hint}" if hint else f"argosy: unknown command: argosy {noun} {rest[0]}"
    return _complain(f"{text}\n\nUsage:  argosy {noun}\n\nRun 'argosy {noun} --help' for more information", 1)


def invoke(session: Session, path: str, command: Command, argv: list[str]) -> int:
    """Parse a verb's own flags and run it."""
    try:
        values = parse(
            command.flags, ["--", *argv] if command.raw and argv not in (["--help"], ["-h"]) else argv, interspersed=command.interspersed
        )
        command.arity.check(path, len(values.arguments))
        return command.run(session, values) or 0
    except HelpWanted:
        from argosy.cli import help as help_

        print(help_.of_command(path, command))
        return 0
    except UsageError as error:
        return _complain(f"{error}\n\n{_usage(path, command)}\n\nRun '{path} --help' for more information", FLAG_ERROR)
    except ArgumentsError as error:
        word = "See" if "at least" in str(error) else "Run"
        return _complain(f"argosy: {error}\n\n{_usage(path, command)}\n\n{word} '{path} --help' for more information", 1)
    except ExitError as error:
        return _complain(str(error), error.code)
    except ArgosyError as error:
        return _complain(describe(error), command.failure)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        if isinstance(error, BrokenPipeError):
            raise
        return _complain(f"{name}{(error.strerror or str(error)).lower()}", command.failure)
    finally:
        session.close()


def _usage(path: str, command: Command) -> str:
    from argosy.cli import help as help_

    return f"Usage:  {help_.usage_line(path, command)}"


def describe(error: ArgosyError) -> str:
    """Return an error as the user reads it: what the daemon said is marked as such, advice follows on its own line."""
    from argosy.client.errors import ApiError, ConnectionFailedError, StreamedError

    if isinstance(error, ApiError):
        return f"Error response from daemon: {error}"
    if isinstance(error, ConnectionFailedError) and error.advice:
        return f"{error}\n{error.advice}"
    if isinstance(error, StreamedError):
        return str(error)
    return str(error)


def _complain(text: str, code: int) -> int:
    sys.stdout.flush()
    if text:
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
    return code
