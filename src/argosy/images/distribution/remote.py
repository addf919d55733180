"""``GET /distribution/{name}/json``: what a registry has under a name, without pulling it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.base.errors import ArgosyError
from argosy.images.distribution import connect, endpoints, failures, resolve
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.http import Http
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.tokens import Tokens
from argosy.oci.descriptor import INDEXES, Index, Platform
from argosy.oci.reference import Reference

_CONFIG_LIMIT = 16 << 20


async def look(
    reference: Reference, *, credentials: Credentials, http: Http, tokens: Tokens, settings: RegistrySettings
) -> Mapping[str, Any]:
    """Return ``Descriptor`` and ``Platforms``. Raises kinds in Docker's words."""
    async with http.using():
        try:
            session = await connect.first(http, endpoints.for_push(reference.domain, settings), tokens=tokens, credentials=credentials)
            repository = Repository(session, reference, settings=settings)
            found = await resolve.named(repository, reference, await resolve.digest_of(repository, reference))
            if found.media_type in INDEXES:
                platforms = [entry.platform for entry in resolve.decoded(found, Index).manifests if entry.platform is not None]
            else:
                manifest = resolve.manifest(found, reference)
                data = await repository.small_blob(manifest.config, _CONFIG_LIMIT)
                platforms = [msgspec.json.decode(data, type=Platform)]
        except msgspec.DecodeError as error:
            raise failures.TransportError(f"error parsing the configuration of {reference}: {error}") from error
        except ArgosyError as error:
            raise failures.kind_of(error) from error
    return {
        "Descriptor": {"mediaType": found.media_type, "digest": found.digest, "size": len(found.data)},
        "Platforms": [msgspec.to_builtins(platform) for platform in platforms],
    }
