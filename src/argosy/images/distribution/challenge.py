"""``WWW-Authenticate`` (RFC 9110 section 11.6.1; distribution's docs/spec/auth/token.md). Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_SCHEME = re.compile(r"\s*([A-Za-z][\w!#$%&'*+.^`|~-]*)(?:\s+|$)")
_PARAMETER = re.compile(r"""\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)""")


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str
    """Lower case: ``basic``, ``bearer``."""
    parameters: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")


def parse(values: Iterable[str]) -> list[Challenge]:
    """Return the challenges of the header's values; what cannot be read is passed over."""
    found: list[Challenge] = []
    for value in values:
        at = 0
        while (scheme := _SCHEME.match(value, at)) is not None:
            at = scheme.end()
            parameters: dict[str, str] = {}
            while (pair := _PARAMETER.match(value, at)) is not None:
                quoted = pair[2]
                parameters[pair[1].lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else pair[3]
                at = pair.end()
            found.append(Challenge(scheme[1].lower(), parameters))
    return found


def best(challenges: Iterable[Challenge]) -> Challenge | None:
    """Return the challenge to meet: bearer before basic, as distribution's client does."""
    by_scheme = {challenge.scheme: challenge for challenge in challenges}
    return by_scheme.get("bearer") or by_scheme.get("basic")
