"""Where a stage stands between two instructions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.build.dockerfile.args import Platform
from argosy.images.record import Image
from argosy.oci.config import Config
from argosy.oci.image import History


@dataclass(frozen=True, slots=True)
class State:
    """Changed by making another. ``chain`` names the files, None: there are none."""

    chain: str | None
    config: Config
    platform: Platform
    base: Image | None = None
    """The image that it stands on, None: scratch."""
    history: tuple[History, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    """Declared by ARG in this stage, with their values; without those that an ENV set later."""
    commanded: bool = False
    """This stage has set CMD."""
    author: str = ""
    steps: tuple[tuple[str, str | None], ...] = ()
    """Of each step that changes files its key, and the chain ID after it."""
    record: str = ""
    """Key of the last cache record that it came by."""

    @property
    def words(self) -> list[str]:
        return [entry.created_by for entry in self.history]
