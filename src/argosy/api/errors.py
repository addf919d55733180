"""One map from error kinds to HTTP statuses, and the shape of an error answer: ``{"message": …}``."""

import logging

import msgspec

from argosy.base import errors
from argosy.runtime.model import StartFailed

_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.NotFoundError, 404),
    (errors.InvalidParameterError, 400),
    (errors.ConflictError, 409),
    (errors.NotModifiedError, 304),
    (errors.UnauthorizedError, 401),
    (errors.ForbiddenError, 403),
    (errors.TooManyRequestsError, 429),
    (errors.UnavailableError, 503),
    (errors.NotImplementedInArgosyError, 501),
    (errors.SystemFailureError, 500),
)

_START_FAILED = {126: 400, 127: 400}


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error; 500 for what is no `ArgosyError`.

    A program that cannot be executed or found (exit codes 126, 127) is the request's fault, as Docker says (400).
    """
    if isinstance(error, StartFailed):
        return _START_FAILED.get(error.code, 500)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def message_of(error: BaseException) -> str:
    """Return what the client is told; a bug shows its type, and its traceback goes to the log."""
    if isinstance(error, errors.ArgosyError | StartFailed):
        return str(error)
    _log.error("a request failed unexpectedly", exc_info=error)
    if isinstance(error, OSError):
        return str(error)
    return f"internal error: {type(error).__name__}: {error}"


def body_of(message: str) -> bytes:
    return msgspec.json.encode({"message": message}) + b"\n"
