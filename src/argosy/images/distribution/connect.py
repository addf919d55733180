"""Which of a registry's endpoints answers."""

from collections.abc import AsyncIterator, Sequence

from argosy.base.errors import ArgosyError
from argosy.images.distribution.credentials import ANONYMOUS, Credentials
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.http import Http
from argosy.images.distribution.session import Session, ping
from argosy.images.distribution.tokens import Tokens


async def sessions(http: Http, endpoints: Sequence[Endpoint], *, tokens: Tokens, credentials: Credentials) -> AsyncIterator[Session]:
    """Yield a session with each endpoint that answers, in order, for the caller to use the first that serves it.

    A registry's login is not shown to its mirrors. Raises what the last endpoint failed with if none answered.
    """
    failed: ArgosyError | None = None
    answered = False
    for endpoint in endpoints:
        try:
            challenge = await ping(http, endpoint)
        except ArgosyError as error:
            failed = error
            continue
        answered = True
        login = ANONYMOUS if endpoint.mirror else credentials
        yield Session(http=http, endpoint=endpoint, tokens=tokens, credentials=login, challenge=challenge)
        if not endpoint.mirror:
            return
    if failed is not None and not (answered and endpoints[-1].mirror):
        raise failed


async def first(http: Http, endpoints: Sequence[Endpoint], *, tokens: Tokens, credentials: Credentials) -> Session:
    """Return a session with the first endpoint that answers."""
    async for session in sessions(http, endpoints, tokens=tokens, credentials=credentials):
        return session
    raise AssertionError("a registry has at least one endpoint")
