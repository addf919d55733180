"""What is measured. A measure is a context: it sets up on one engine, gives a function that takes one round, and cleans up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

from payload import Payload
from target import Target

Better = Literal["lower", "higher"]
# Part of the measure ('' the measure itself) → what one round saw: one number, or as many as it took.
Round = Callable[[], Mapping[str, float | Sequence[float]]]


@dataclass(frozen=True)
class Part:
    """One number that is reported, and which way is better."""

    unit: str
    better: Better


@dataclass(frozen=True)
class Measure:
    """A measure: its name, what it does, how many rounds, what it reports."""

    name: str
    says: str
    rounds: int
    heavy: bool
    needs_start: bool
    parts: Mapping[str, Part]
    prepare: Callable[[Target, Payload], AbstractContextManager[Round]]


MEASURES: dict[str, Measure] = {}


def measure(
    unit: str,
    better: Better = "lower",
    *,
    rounds: int = 5,
    heavy: bool = False,
    needs_start: bool = False,
    parts: Mapping[str, tuple[str, Better]] | None = None,
) -> Callable[[Callable[[Target, Payload], Iterator[Round]]], Callable[[Target, Payload], Iterator[Round]]]:
    """Register a generator function under its name. ``parts``: what else it reports, beside or instead of itself."""

    def register(function: Callable[[Target, Payload], Iterator[Round]]) -> Callable[[Target, Payload], Iterator[Round]]:
        name = function.__name__
        all_parts = {"": Part(unit, better)} | {key: Part(*value) for key, value in (parts or {}).items()}
        says = (function.__doc__ or "").strip()
        MEASURES[name] = Measure(name, says, rounds, heavy, needs_start, all_parts, contextmanager(function))
        return function

    return register
