from argosy.registry.gc.retention import Rule, dropped
from argosy.registry.patterns import Pattern

DAY = 86400.0


def rule(tags: str = "*", repositories: str = "**", **limit: float) -> Rule:
    return Rule(Pattern(repositories), Pattern(tags), **limit)  # type: ignore[arg-type]


def test_the_last_pushed_are_kept() -> None:
    ages = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 4.0}
    assert dropped([rule(keep=2)], "r", ages) == {"a", "d"}


def test_only_tags_that_match_are_counted_and_dropped() -> None:
    ages = {"v1": 9.0, "x-dev": 3.0, "y-dev": 1.0}
    assert dropped([rule("*-dev", keep=1)], "r", ages) == {"x-dev"}


def test_the_first_rule_that_matches_rules() -> None:
    ages = {"latest": 900 * DAY, "nightly": 900 * DAY, "today": 1.0}
    assert dropped([rule("latest", keep=1), rule(younger=30 * DAY)], "r", ages) == {"nightly"}


def test_other_repositories_are_left_alone() -> None:
    ages = {"a": 3.0, "b": 1.0}
    assert dropped([rule(repositories="team/*", keep=1)], "other/app", ages) == frozenset()
    assert dropped([rule(repositories="team/*", keep=1)], "team/app", ages) == {"a"}


def test_nothing_may_be_kept() -> None:
    assert dropped([rule(keep=0)], "r", {"a": 1.0}) == {"a"}
