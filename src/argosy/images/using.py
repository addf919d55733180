"""Which containers use an image, as the engine tells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    container: str
    running: bool


Users = Callable[[str], Sequence[User]]
"""Called with an image id."""


def nobody(image_id: str) -> Sequence[User]:
    return ()
