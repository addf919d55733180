"""How much an archive may become. Pure.

Ten kilobytes can be written so that they unpack to ten gigabytes of zeros. gzip gets at most 1,032 times as much out of its
input (zlib, "zlib Technical Details"), real layers 2 to 10 times.
"""

from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError
from argosy.base.units import human_size

_SMALL = 1 << 30
"""Bytes that any archive may have: what fits is no attack, however well it was compressed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For layers and for the archives that they come in; 0: none."""

    size: int = 0
    ratio: int = 500

    def most(self, packed: int) -> int:
        """Return how many plain bytes ``packed`` compressed ones may become; 0: any number."""
        bounds = [self.size] if self.size else []
        if self.ratio:
            bounds.append(max(_SMALL, self.ratio * packed))
        return min(bounds, default=0)

    def check(self, plain: int, packed: int) -> None:
        """Raise InvalidParameterError when ``packed`` bytes, which is what has been read by now, have become too many.

        Not measured by the whole archive: ten megabytes of zeros would be on the disk as five gigabytes before they are refused.
        """
        most = self.most(packed)
        if not most or plain <= most:
            return
        if self.size and plain > self.size:
            raise InvalidParameterError(f"the archive holds more than {human_size(self.size)}, the limit of --max-archive-size")
        raise InvalidParameterError(
            f"{human_size(packed)} of the archive unpack to more than {human_size(most)}, "
            f"over {self.ratio} times as much: if that is meant, raise --max-archive-ratio"
        )


LIMITS = Limits()
"""What holds unless something else is said."""
