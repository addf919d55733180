import pytest

from argosy.base.errors import NotFoundError, TooManyRequestsError, UnauthorizedError
from argosy.images.distribution.failures import first, kind_of, of_pull, refusal
from argosy.oci.reference import parse


@pytest.mark.parametrize(
    ("status", "body", "challenge", "words"),
    [
        (404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', "", "manifest unknown: manifest unknown"),
        (404, b"", "", "manifest unknown: manifest unknown"),
        (401, b"", "", "unauthorized: authentication required"),
        (401, b'{"details":"incorrect username or password"}', "", "unauthorized: incorrect username or password"),
        (401, b"{}", 'Bearer realm="x",error="insufficient_scope"', "denied: requested access to the resource is denied"),
        (403, b'{"errors":[{"code":"DENIED","message":"no"}]}', "", "denied: no"),
        (400, b"<html>", "", 'error parsing HTTP 400 response body: "<html>"'),
        (503, b"", "", "received unexpected HTTP status: 503 Reason"),
        (429, b"slow", "", "toomanyrequests: too many requests (try again in 7 seconds; a login raises the limit: docker login)"),
    ],
)
def test_refusals_in_dockers_words(status: int, body: bytes, challenge: str, words: str) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    assert str(refusal(status, "Reason", headers, body, [challenge] if challenge else [])) == words


def test_a_failed_pull_names_the_image() -> None:
    reference = parse("x/y:1")
    unknown = refusal(404, "", {}, b"", [])
    assert isinstance(of_pull(unknown, reference), NotFoundError)
    assert str(of_pull(unknown, reference)) == "manifest for x/y:1 not found: manifest unknown: manifest unknown"
    denied = refusal(403, "", {}, b"", [])
    assert str(of_pull(denied, reference)).startswith(
        "pull access denied for x/y, repository does not exist or may require 'docker login': "
    )


def test_statuses_become_kinds() -> None:
    assert isinstance(kind_of(refusal(401, "", {}, b"", [])), UnauthorizedError)
    assert isinstance(kind_of(refusal(429, "", {}, b"", [])), TooManyRequestsError)


def test_the_reason_is_found_among_its_consequences() -> None:
    reason = NotFoundError("x")
    assert first(BaseExceptionGroup("a", [ValueError(), BaseExceptionGroup("b", [reason])])) is reason
