"""What can go wrong between a client and a daemon."""

from __future__ import annotations

from argosy.base.errors import ArgosyError


class ClientError(ArgosyError):
    """Root of this package's errors."""


class ProtocolError(ClientError):
    """The peer does not speak HTTP/1.1 as RFC 9112 has it, or went away in the middle of an answer."""


class InvalidHostError(ClientError):
    """A daemon address that cannot be understood."""


class ConnectionFailedError(ClientError):
    """No daemon answers at the address."""

    def __init__(self, host: str, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.host = host
        self.advice = advice


class ApiError(ClientError):
    """The daemon refused; ``str(error)`` is its message, ``status`` the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class StreamedError(ClientError):
    """An error that the daemon reported in the middle of a progress stream (``errorDetail``)."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code
