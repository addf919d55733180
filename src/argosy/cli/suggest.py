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
    limit = 1 if len(word) <= 3 else 2
    # Of equally near ones that with the same beginning: people rarely mistype the first letter.
    ranked = sorted((distance(word, name), name[:1] != word[:1], name) for name in known)
    close = [name for far, _, name in ranked if far <= limit and far < max(len(word), len(name))]
    return close[0] if close else ""
