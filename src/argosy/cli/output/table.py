"""Tables as docker prints them, folded to the terminal when they would not fit it.

Widths follow Go's tabwriter as docker sets it: at least 10, three spaces between, the last column as it is. Characters are
counted, not cells, as Go does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEAST = 10
_GAP = 3
# Down to here a cut text is pleasant to read, and down to here it still tells something.
_READABLE = 12
_NARROWEST = 6


def render(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 0, foldable: Sequence[str] = (), cuttable: Sequence[str] = ()
) -> str:
    """Return the table with a line end after each line.

    ``width`` 0 is as wide as needed. Else, step by step until each line fits: columns headed as in ``foldable`` are folded at ``", "``
    into further lines, columns move together, those in ``cuttable`` are shortened, then the others, then the folded ones, then lines.
    """
    cells: list[list[list[str]]] = [[[cell] for cell in row] for row in (headers, *rows)]
    spacing = _Spacing(_LEAST, _GAP)
    if width and _total(cells, spacing) > width:
        _fold(cells, headers, foldable)
        if _total(cells, spacing) > width:
            spacing = _Spacing(0, 1)
            folded = [headers.index(one) for one in foldable if one in headers]
            others = [column for column in range(1, len(headers)) if column not in folded]
            _shorten(cells, [headers.index(one) for one in cuttable if one in headers], width, spacing, _READABLE)
            _shorten(cells, others, width, spacing, _NARROWEST)
            _shorten(cells, folded, width, spacing, _NARROWEST)
    return "".join(_cut(line, width or len(line)) + "\n" for line in _lines(cells, spacing))


class _Spacing:
    """How narrow a column may be, and what lies between two."""

    __slots__ = ("gap", "least")

    def __init__(self, least: int, gap: int) -> None:
        self.least = least
        self.gap = gap


def _lines(cells: Sequence[Sequence[Sequence[str]]], spacing: _Spacing) -> Iterator[str]:
    widths = _widths(cells, spacing)
    for row in cells:
        for at in range(max((len(cell) for cell in row), default=1)):
            parts = [cell[at] if at < len(cell) else "" for cell in row]
            text = "".join(part.ljust(room) for part, room in zip(parts[:-1], widths)) + parts[-1]
            # docker pads before an empty last column; a folded line is ours and has no trailing space.
            yield text if at == 0 else text.rstrip()


def _widths(cells: Sequence[Sequence[Sequence[str]]], spacing: _Spacing) -> list[int]:
    longest = (max((len(line) for row in cells for line in row[column]), default=0) for column in range(len(cells[0])))
    return [max(spacing.least, one + spacing.gap) for one in longest]


def _total(cells: Sequence[Sequence[Sequence[str]]], spacing: _Spacing) -> int:
    last = max((len(line) for row in cells for line in row[-1]), default=0)
    return sum(_widths(cells, spacing)[:-1]) + last


def _fold(cells: list[list[list[str]]], headers: Sequence[str], foldable: Sequence[str]) -> None:
    """Give each part of a list a line of its own."""
    for column in (headers.index(one) for one in foldable if one in headers):
        for row in cells[1:]:
            parts = row[column][0].split(", ")
            row[column] = [part + "," * (at < len(parts) - 1) for at, part in enumerate(parts)]


def _shorten(cells: list[list[list[str]]], columns: list[int], width: int, spacing: _Spacing, least: int) -> None:
    """Cut the widest of these columns until the table fits or none can be cut further."""
    columns = list(columns)
    while columns and (over := _total(cells, spacing) - width) > 0:
        longest = {column: max(len(line) for row in cells for line in row[column]) for column in columns}
        column = max(longest, key=lambda one: longest[one])
        # Not below the next widest in one go, so that all shrink together.
        following = max((size for size in longest.values() if size < longest[column]), default=0)
        room = max(longest[column] - over, following, least, len(cells[0][column][0]))
        if room >= longest[column]:
            columns.remove(column)
            continue
        for row in cells:
            row[column] = [_cut(line, room) for line in row[column]]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def render_plain(rows: Sequence[Sequence[str]]) -> str:
    """Return the wide table that docker prints for ``top``: columns of at least 20."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max(20, *(len(row[column]) + _GAP for row in rows if column < len(row))) for column in range(columns)]
    return "".join("".join(cell.ljust(room) for cell, room in zip(row[:-1], widths)) + "".join(row[-1:]) + "\n" for row in rows)
