"""What a registry or the way to it says when it refuses, in Docker's words (distribution ``registry/client/errors.go``). Pure."""

import json
import ssl
from collections.abc import Iterable, Mapping

from argosy.base.errors import ArgosyError, ForbiddenError, NotFoundError, SystemFailureError, TooManyRequestsError, UnauthorizedError
from argosy.images.distribution import challenge
from argosy.oci.reference import Reference

_MESSAGES = {
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "TOOMANYREQUESTS": "too many requests",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "NAME_UNKNOWN": "repository name not known to registry",
    "BLOB_UNKNOWN": "blob unknown to registry",
}
_OF_STATUS = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}
_SHOWN = 200


class TransportError(SystemFailureError):
    """The registry was not reached, or broke off: another attempt may help."""


class RegistryError(SystemFailureError):
    """A registry's refusal. ``code`` is the specification's (``MANIFEST_UNKNOWN``), empty where it gave none."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.reason = ""
        self.code = code

    @property
    def retryable(self) -> bool:
        return self.status >= 500 or self.status == 408


class NoCredentials(SystemFailureError):
    """A registry wants a password and there is none."""


def refusal(status: int, reason: str, headers: Mapping[str, str], body: bytes, challenges: Iterable[str]) -> RegistryError:
    """Return the error of an answer with a status of 400 or more."""
    if status >= 500:
        return RegistryError(status, "", f"received unexpected HTTP status: {status} {reason}")
    for found in challenge.parse(challenges):
        code = {"invalid_token": "UNAUTHORIZED", "insufficient_scope": "DENIED"}.get(found.get("error"))
        if found.scheme == "bearer" and code is not None:
            return _error(status, code, found.get("error_description"))
    code, message = _read(body)
    if not code and not message and body.strip() and status not in (401, 429):
        shown = json.dumps(body[:_SHOWN].decode(errors="replace"))
        return RegistryError(status, "", f"error parsing HTTP {status} response body: {shown}")
    code = code or _OF_STATUS.get(status, "")
    if not code:
        return RegistryError(status, "", message or f"unexpected HTTP status: {status} {reason}")
    if status == 429:
        message = (message or _MESSAGES[code]) + rate_limit(headers)
    return _error(status, code, message)


def _error(status: int, code: str, message: str) -> RegistryError:
    words = code.lower().replace("_", " ")
    return RegistryError(status, code, f"{words}: {message or _MESSAGES.get(code, words)}")


def _read(body: bytes) -> tuple[str, str]:
    """Return code and message of an error document: the specification's, or a token server's (``details``, ``error``)."""
    try:
        document = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(document, Mapping):
        return "", ""
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        code = str(errors[0].get("code") or "UNKNOWN").upper()
        return code, str(errors[0].get("message") or "")
    for key in ("details", "error_description", "message", "error"):
        if isinstance(document.get(key), str):
            return "", str(document[key])
    return "", ""


def rate_limit(headers: Mapping[str, str]) -> str:
    """Return what the answer tells of its limit, in brackets: ``100;w=21600`` is 100 in 6 hours (docs.docker.com, usage limits)."""
    told = []
    for name, words in (("ratelimit-limit", "limit"), ("ratelimit-remaining", "left")):
        count, _, window = headers.get(name, "").partition(";w=")
        if count:
            span = f" in {int(window) / 3600:.4g} hours" if window.isdigit() else ""
            told.append(f"{words}: {count}{span}")
    if after := headers.get("retry-after"):
        told.append(f"try again {'in ' + after + ' seconds' if after.isdigit() else 'at ' + after}")
    if told:
        told.append("a login raises the limit: docker login")
    return f" ({'; '.join(told)})" if told else ""


def of_pull(error: ArgosyError, reference: Reference) -> ArgosyError:
    """Return what the user is told of a failed pull (moby ``distribution/errors.go``)."""
    if not isinstance(error, RegistryError):
        return error
    # A token server that refuses an anonymous client, and a registry that refuses its token, mean the same to the user.
    prefix = {
        "DENIED": f"pull access denied for {reference.familiar_name}, repository does not exist or may require 'docker login'",
        "MANIFEST_UNKNOWN": f"manifest for {reference.familiar} not found",
        "NAME_UNKNOWN": f"repository {reference.familiar_name} not found",
    }.get(error.code)
    return NotFoundError(f"{prefix}: {error}") if prefix else kind_of(error)


def kind_of(error: ArgosyError) -> ArgosyError:
    """Return the kind of error that the API's status follows from."""
    if not isinstance(error, RegistryError):
        return error
    kind: type[ArgosyError] = {401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 429: TooManyRequestsError}.get(
        error.status, SystemFailureError
    )
    return kind(str(error))


def first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the reason among errors of which the others are consequences."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return first(error)
        if isinstance(error, ArgosyError | OSError):
            return error
    return group.exceptions[0]


def of_certificate(error: ssl.SSLError, host: str) -> str:
    """Return Go's words for a failed TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = {
            10: "certificate has expired or is not yet valid",
            18: "certificate signed by unknown authority",
            19: "certificate signed by unknown authority",
            20: "certificate signed by unknown authority",
            21: "certificate signed by unknown authority",
            62: f"certificate is not valid for {host}",
        }.get(error.verify_code, error.verify_message or str(error))
        return f"tls: failed to verify certificate: x509: {reason}"
    if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        return "http: server gave HTTP response to HTTPS client"
    return f"tls: {error.reason or error}".lower()
