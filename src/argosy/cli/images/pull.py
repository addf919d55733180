"""Fetch an image, showing how it goes."""

from __future__ import annotations

from argosy.cli.images import names
from argosy.cli.images.credentials import Logins, registry_of
from argosy.cli.output.progress import Transfers
from argosy.client import images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from argosy.cli.session import Session


def pull(session: Session, image: str, *, platform: str = "", quiet: bool = False, stream: TextIO, all_tags: bool = False) -> str:
    """Fetch and return the full name of what was fetched; raises the client's errors and ExitError."""
    reference = names.parse(image)
    if not all_tags:
        reference = reference.tagged()
    auth = Logins(session).header(registry_of(reference.domain))
    call = images.pull(reference.familiar_name, reference.digest or reference.tag, platform=platform, auth=auth)
    transfers = Transfers(stream, session.environ, quiet=quiet)
    with transfers:
        for event in session.stream(call):
            transfers.show(event)
    return str(reference)
