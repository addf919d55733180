"""Guess what a mistyped word meant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def distance(a: str, b: str) -> int:
    """Return the edit distance in which swapping two neighbours costs one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, previous, row = row, before, [i]
        for j, right in enumerate(b, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, ``""`` when none is near."""
    if len(word) < 2:
        return ""
    limit = 1 if len(word) <= 4 else 2
    # Of equally near ones that of the same length, then that with the same beginning: the first letter is rarely mistyped.
    ranked = sorted((distance(word, name), abs(len(word) - len(name)), name[:1] != word[:1], name) for name in known)
    return next((name for far, _, _, name in ranked if far <= limit and far < len(name)), "")
