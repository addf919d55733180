"""What a command is: flags, a rule for its arguments, words for help, and the function that does it."""

from __future__ import annotations

from argosy.cli.errors import ArgumentsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from argosy.cli.flags import Flag, Values
    from argosy.cli.session import Session

    Run = Callable[[Session, Values], int | None]


class Arity:
    """How many arguments a command takes; ``most`` None is any number."""

    __slots__ = ("least", "most")

    def __init__(self, least: int, most: int | None) -> None:
        self.least = least
        self.most = most

    def check(self, path: str, count: int) -> None:
        """Raise ArgumentsError in docker's words."""
        if self.least <= count and (self.most is None or count <= self.most):
            return
        if self.most == 0:
            raise ArgumentsError(f"'{path}' accepts no arguments")
        if self.most is None:
            raise ArgumentsError(f"'{path}' requires at least {_plural(self.least)}")
        if self.least == self.most:
            raise ArgumentsError(f"'{path}' requires {_plural(self.least)}")
        if self.least == 0 or count > self.most:
            raise ArgumentsError(f"'{path}' requires at most {_plural(self.most)}")
        raise ArgumentsError(f"'{path}' requires at least {self.least} and at most {_plural(self.most)}")


def _plural(count: int) -> str:
    return f"{count} argument{'s' * (count != 1)}"


NONE = Arity(0, 0)
ANY = Arity(0, None)
SOME = Arity(1, None)


def exactly(count: int) -> Arity:
    return Arity(count, count)


def at_most(count: int) -> Arity:
    return Arity(0, count)


class Command:
    """A verb; its summary is in `registry`, and ``about`` takes its place in the verb's own help where more is to be said.

    ``usage`` is what follows the command's path in the usage line, one string for each form; ``complete`` names what its
    arguments are (containers, running, images, networks, volumes, contexts, files), with ``+`` for any number;
    ``failure`` is the exit status of an error of the daemon; ``raw`` hands every word on as an argument, for another program to read.
    """

    __slots__ = ("about", "arity", "complete", "examples", "failure", "flags", "interspersed", "raw", "run", "usage")

    def __init__(
        self,
        run: Run,
        usage: str | Sequence[str] = "",
        *,
        flags: Sequence[Flag] = (),
        arity: Arity = NONE,
        about: str = "",
        examples: Sequence[tuple[str, str]] = (),
        complete: str = "",
        interspersed: bool = True,
        failure: int = 1,
        raw: bool = False,
    ) -> None:
        self.run = run
        self.usage = (usage,) if isinstance(usage, str) else tuple(usage)
        self.flags = tuple(flags)
        self.arity = arity
        self.about = about
        self.examples = tuple(examples)
        self.complete = complete
        self.interspersed = interspersed
        self.failure = failure
        self.raw = raw
