"""TLS with registries: ``certs.d/HOST[:PORT]/`` with ``*.crt`` (authorities), ``NAME.cert`` and ``NAME.key`` (ours)."""

import os
import ssl
from collections.abc import Iterable

from argosy.base.errors import SystemFailureError
from argosy.images.distribution.endpoints import Endpoint


def context_for(endpoint: Endpoint, folders: Iterable[str]) -> ssl.SSLContext:
    """Return the context for connections to an endpoint; reads files, meant for a thread.

    Authorities are added to the machine's (moby ``registry.ReadCertsDirectory``). Raises SystemFailureError on a certificate
    without key, a key without certificate, or a file that is neither.
    """
    context = ssl.create_default_context()
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for folder in folders:
        _add(context, os.path.join(folder, endpoint.host))
    return context


def _add(context: ssl.SSLContext, folder: str) -> None:
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise SystemFailureError(f"open {folder}: {(error.strerror or '').lower()}") from error
    for name in names:
        path = os.path.join(folder, name)
        stem, suffix = os.path.splitext(name)
        try:
            if suffix == ".crt":
                context.load_verify_locations(path)
            elif suffix == ".cert":
                if f"{stem}.key" not in names:
                    raise SystemFailureError(
                        f"missing key {stem}.key for client certificate {name}. CA certificates must use the extension .crt"
                    )
                context.load_cert_chain(path, os.path.join(folder, f"{stem}.key"))
            elif suffix == ".key" and f"{stem}.cert" not in names:
                raise SystemFailureError(f"missing client certificate {stem}.cert for key {name}")
        except (ssl.SSLError, OSError) as error:
            raise SystemFailureError(f"could not read {path}: {error}") from error
