"""Image names as arguments."""

from __future__ import annotations

from argosy.base.errors import InvalidParameterError
from argosy.cli.errors import ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.oci.reference import Reference


def parse(text: str) -> Reference:
    """Return the normalised reference; raises ExitError in docker's words."""
    from argosy.oci import reference

    try:
        return reference.parse(text)
    except InvalidParameterError as error:
        raise ExitError(1, str(error)) from None


def split(text: str) -> tuple[str, str]:
    """Return repository and tag (or digest) as parameters of the API want them, in the familiar form."""
    found = parse(text)
    return found.familiar_name, found.digest or found.tag
