"""``remote=http…``: a tarball or a Dockerfile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argosy.base.errors import InvalidParameterError

_CHUNK = 1 << 18


@asynccontextmanager
async def download(url: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """Yield the body. Raises InvalidParameterError in Docker's words."""
    # Loaded at first use: most daemons never download a context.
    import aiohttp

    failed = f"error downloading remote context {url}"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session, session.get(url) as response:
            if response.status >= 400:
                raise InvalidParameterError(f"{failed}: failed to GET {url} with status {response.status} {response.reason}")
            yield response.content.iter_chunked(_CHUNK)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise InvalidParameterError(f"{failed}: {error or type(error).__name__}") from error
