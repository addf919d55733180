"""Which tags are kept. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argosy.registry.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Rule:
    """For tags that match: keep the ``keep`` that were pushed last, or those younger than ``younger`` seconds."""

    repositories: Pattern
    tags: Pattern
    keep: int | None = None
    younger: float = 0.0


def dropped(rules: Sequence[Rule], repository: str, ages: Mapping[str, float]) -> frozenset[str]:
    """Return the tags to remove; ``ages``: tag → seconds since it was pushed. A tag is ruled by the first rule that matches it."""
    gone: set[str] = set()
    left = dict(ages)
    for rule in rules:
        if not rule.repositories.matches(repository):
            continue
        matching = [tag for tag in left if rule.tags.matches(tag)]
        ruled = {tag: left.pop(tag) for tag in matching}
        gone.update(_dropped(rule, ruled))
    return frozenset(gone)


def _dropped(rule: Rule, ages: Mapping[str, float]) -> list[str]:
    if rule.keep is None:
        return [tag for tag, age in ages.items() if age >= rule.younger]
    newest_first = sorted(ages, key=lambda tag: (ages[tag], tag))
    return newest_first[rule.keep :]
