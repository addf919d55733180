"""One flag of a command."""

from __future__ import annotations

from argosy.cli.flags.kinds import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.flags.kinds import Kind


class Flag:
    """``default`` is the value when the flag is not given; ``shown`` what help says of it; ``complete`` what its value names."""

    __slots__ = ("complete", "default", "help", "hidden", "kind", "letter", "name", "shown")

    def __init__(
        self,
        name: str,
        letter: str = "",
        kind: Kind = BOOL,
        help: str = "",
        *,
        default: object = None,
        shown: str = "",
        complete: str = "",
        hidden: bool = False,
    ) -> None:
        self.name = name
        self.letter = letter
        self.kind = kind
        self.help = help
        self.default = default
        self.shown = shown
        self.complete = complete
        self.hidden = hidden

    @property
    def spelling(self) -> str:
        """How refusals name it."""
        return f"-{self.letter}, --{self.name}" if self.letter else f"--{self.name}"
