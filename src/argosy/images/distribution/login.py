"""``docker login``: try a name and password at a registry (moby ``registry/auth.go``)."""

from argosy.base.errors import ArgosyError, UnauthorizedError
from argosy.images.distribution import connect, endpoints, failures
from argosy.images.distribution.credentials import Credentials, server_host
from argosy.images.distribution.failures import RegistryError
from argosy.images.distribution.http import Http
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.tokens import Tokens
from argosy.oci.reference import DEFAULT_DOMAIN

_LIMIT = 1 << 16


async def login(credentials: Credentials, *, http: Http, tokens: Tokens, settings: RegistrySettings) -> str:
    """Return the token to keep in place of the password, empty where the registry gives none.

    Raises UnauthorizedError, and SystemFailureError when the registry cannot be reached.
    """
    host = server_host(credentials.server)
    domain = DEFAULT_DOMAIN if not host or endpoints.is_hub(host) else host
    async with http.using():
        session = await connect.first(http, endpoints.for_push(domain, settings), tokens=tokens, credentials=credentials)
        url = f"{session.endpoint.url}/v2/"
        try:
            refresh = await session.authorize(offline=True)
        except RegistryError as error:
            raise _refused(error, f'Get "{url}": {error}') from error
        try:
            async with session.request("GET", "/v2/") as answer:
                await answer.body(_LIMIT)
        except RegistryError as error:
            raise _refused(error, f"login attempt to {url} failed with status: {error.status} {error.reason}".strip()) from error
    return refresh


def _refused(error: RegistryError, words: str) -> ArgosyError:
    return UnauthorizedError(words) if error.status in (400, 401, 403) else failures.kind_of(error)
