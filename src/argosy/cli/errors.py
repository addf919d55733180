"""How a command ends when it does not succeed."""

from __future__ import annotations

from argosy.base.errors import ArgosyError


class ExitError(ArgosyError):
    """End with ``code``; the message, if there is one, goes to standard error as it is."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code


class UsageError(ArgosyError):
    """A flag that cannot be understood: the message, the usage line and 125, as docker."""


class ArgumentsError(ArgosyError):
    """Too few or too many arguments: named by the command, 1, as docker."""
