"""Tables as docker prints them, folded to the terminal when they would not fit it.

Widths follow Go's tabwriter as docker sets it: at least 10, three spaces between, the last column as it is. Characters are
counted, not cells, as Go does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 10
_GAP = 3
# Narrower than this a cut text tells nothing.
_NARROWEST = 8


def render(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 0, foldable: Sequence[str] = (), cuttable: Sequence[str] = ()
) -> str:
    """Return the table with a line end after each line.

    ``width`` 0 is as wide as needed. Else columns headed as in ``foldable`` are folded at ``", "`` into further lines, and those
    in ``cuttable`` are shortened, widest first, until each line fits.
    """
    cells: list[list[list[str]]] = [[[cell] for cell in row] for row in (headers, *rows)]
    if width:
        _fit(cells, [*headers], width, foldable, cuttable)
    widths = _widths(cells)
    lines = []
    for row in cells:
        height = max((len(cell) for cell in row), default=1)
        for line in range(height):
            parts = [cell[line] if line < len(cell) else "" for cell in row]
            text = "".join(part.ljust(room) for part, room in zip(parts[:-1], widths)) + parts[-1]
            # docker pads an empty last column; a folded line is ours and has no trailing space.
            lines.append(text if line == 0 else text.rstrip())
    return "".join(line + "\n" for line in lines)


def _widths(cells: Sequence[Sequence[Sequence[str]]]) -> list[int]:
    columns = len(cells[0])
    return [max(_LEAST, max((len(line) for row in cells for line in row[column]), default=0) + _GAP) for column in range(columns)]


def _total(cells: Sequence[Sequence[Sequence[str]]]) -> int:
    widths = _widths(cells)
    last = max((len(line) for row in cells for line in row[-1]), default=0)
    return sum(widths[:-1]) + last


def _fit(cells: list[list[list[str]]], headers: list[str], width: int, foldable: Sequence[str], cuttable: Sequence[str]) -> None:
    if _total(cells) <= width:
        return
    for header in foldable:
        if header in headers:
            column = headers.index(header)
            for row in cells[1:]:
                row[column] = row[column][0].split(", ") if len(row[column]) == 1 else row[column]
                row[column] = [part + "," * (at < len(row[column]) - 1) for at, part in enumerate(row[column])]
    columns = [headers.index(header) for header in cuttable if header in headers]
    while columns and (over := _total(cells) - width) > 0:
        longest = {column: max(len(line) for row in cells for line in row[column]) for column in columns}
        column = max(longest, key=lambda one: longest[one])
        room = max(longest[column] - over, _second(longest, column), _NARROWEST, len(headers[column]))
        if room >= longest[column]:
            columns.remove(column)
            continue
        for row in cells:
            row[column] = [_cut(line, room) for line in row[column]]


def _second(longest: dict[int, int], column: int) -> int:
    """Return the next widest, below which the widest is not cut in one go, so that all shrink together."""
    others = [size for other, size in longest.items() if other != column and size < longest[column]]
    return max(others, default=0)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def render_plain(rows: Sequence[Sequence[str]]) -> str:
    """Return the wide table that docker prints for ``top``: columns of at least 20."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max(20, *(len(row[column]) + _GAP for row in rows if column < len(row))) for column in range(columns)]
    return "".join("".join(cell.ljust(room) for cell, room in zip(row[:-1], widths)) + "".join(row[-1:]) + "\n" for row in rows)
