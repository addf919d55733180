"""Access rules: who may do what where. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argosy.registry.auth.grant import ANONYMOUS
from argosy.registry.patterns import Pattern

EVERYBODY = "*"
"""Everybody who has logged in."""


@dataclass(frozen=True, slots=True)
class Rule:
    users: frozenset[str]
    repositories: tuple[Pattern, ...]
    actions: frozenset[str]

    def applies(self, user: str) -> bool:
        return (user or ANONYMOUS) in self.users or bool(user and EVERYBODY in self.users)


def allowance(rules: Sequence[Rule], user: str) -> Callable[[str, str], bool]:
    """Return (repository, action) → whether the user may; an empty user is nobody in particular.

    Without rules every user may do everything.
    """
    mine = [rule for rule in rules if rule.applies(user)]

    def allows(name: str, action: str) -> bool:
        if not rules:
            return bool(user)
        return any(action in rule.actions and any(pattern.matches(name) for pattern in rule.repositories) for rule in mine)

    return allows


def knows_anonymous(rules: Sequence[Rule]) -> bool:
    """Say whether who has not logged in may do anything at all."""
    return any(ANONYMOUS in rule.users for rule in rules)
