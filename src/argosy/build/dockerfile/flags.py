"""An instruction's ``--name=value`` words, told apart by what the instruction knows. buildkit ``instructions/bflag.go`` has the words."""

from dataclasses import dataclass, field

from argosy.build.dockerfile.errors import GrammarError, suggestion

SWITCH, VALUE, VALUES = "switch", "value", "values"


@dataclass(frozen=True, slots=True)
class Given:
    values: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.values.get(name, [""])[-1]

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.values.get(name, ()))

    def switch(self, name: str) -> bool | None:
        """None if it was not given."""
        return self.values[name][-1] == "true" if name in self.values else None


def parse(words: tuple[str, ...], known: dict[str, str]) -> Given:
    """``known`` says of each flag whether it is a SWITCH, a VALUE or may come often. Raises GrammarError."""
    given = Given()
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        kind = known.get(name)
        if kind is None:
            raise GrammarError(f"unknown flag: --{name}" + (suggestion(name, tuple(known)) if known else ""))
        if name in given.values and kind != VALUES:
            raise GrammarError(f"duplicate flag specified: --{name}")
        if kind == SWITCH:
            value = _switch(name, value if equals else "true")
        elif not equals:
            raise GrammarError(f"missing a value on flag: --{name}")
        given.values.setdefault(name, []).append(value)
    return given


def _switch(name: str, value: str) -> str:
    if not value:
        raise GrammarError(f"missing a value on flag: --{name}")
    if value.lower() not in ("true", "false"):
        raise GrammarError(f"expecting boolean value for flag --{name}, not: {value}")
    return value.lower()
