"""The plan's shape and version. A newer daemon adopts older shims, so keys are added, never given another meaning."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Plan = dict[str, Any]
    Step = tuple[str, dict[str, Any]]

VERSION = 1


class PlanError(Exception):
    """The specification cannot be carried out; the message says which part."""
