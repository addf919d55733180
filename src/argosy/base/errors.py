"""Error kinds, by what a caller can do about them.

One place in the API maps each kind to an HTTP status (``api.errors``), as moby's ``errdefs`` does.
Messages name the object and the attempted act in Docker's words where a client looks at them.
"""


class ArgosyError(Exception):
    """Root of every error that is meant to reach a user; ``str(error)`` is the message shown."""


class NotFoundError(ArgosyError):
    """The named object does not exist (404)."""


class InvalidParameterError(ArgosyError):
    """The request itself is wrong; repeating it cannot help (400)."""


class ConflictError(ArgosyError):
    """The object's present state or another object forbids it (409)."""


class NotModifiedError(ArgosyError):
    """The object already is as asked (304)."""


class UnauthorizedError(ArgosyError):
    """Credentials are missing or wrong (401)."""


class ForbiddenError(ArgosyError):
    """Refused whoever asks (403)."""


class UnavailableError(ArgosyError):
    """A part that is needed is not there at present; later may help (503)."""


class TooManyRequestsError(ArgosyError):
    """Somebody whose service is needed counts requests and wants no more for now; the message says for how long (429)."""


class NotImplementedInArgosyError(ArgosyError):
    """A route or option that is not served; the message says why (501)."""


class SystemFailureError(ArgosyError):
    """The host refused; the message carries the reason (500)."""
