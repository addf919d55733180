"""``images --tree``: each image with the manifests of its index below it (docker's ``cli/command/image/tree.go``)."""

from __future__ import annotations

from argosy.cli.output import human
from argosy.cli.output.colour import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

_GAP = 3
# Header, width, whether it is flush right.
_COLUMNS = (("ID", 12, False), ("DISK USAGE", 10, True), ("CONTENT SIZE", 12, True), ("EXTRA", 5, False))
_RIGHT = sum(_GAP + width for _, width, _ in _COLUMNS)
_UNTAGGED = "<untagged>"
_LEGEND = "Info ->  U In Use"


class _Line:
    """One row: a name, and what is told of it. ``faint``: it is not here."""

    __slots__ = ("cells", "faint", "text", "top")

    def __init__(self, text: str, cells: Sequence[str] = (), *, top: bool = False, faint: bool = False) -> None:
        self.text = text
        self.cells = cells
        self.top = top
        self.faint = faint


def render(images: Iterable[Mapping[str, Any]], *, width: int, coloured: bool = False) -> str:
    """Return the table for a terminal of ``width`` columns, with a line end after each line."""
    found = [list(_of_image(image)) for image in images]
    longest = max([len("IMAGE"), *(_room(line) for lines in found for line in lines)])
    room = max(len(_UNTAGGED), min(longest, width - _RIGHT))
    titles = "".join(" " * _GAP + title.ljust(size) for title, size, _ in _COLUMNS)
    lines = [f"{_LEGEND} ".rjust(width), "", paint("IMAGE".ljust(room) + titles.rstrip(), "bold", coloured)]
    for number, rows in enumerate(found):
        lines += [""] * (number > 0)
        lines += [_painted(row, room, coloured) for row in rows]
    return "".join(line + "\n" for line in lines)


def _of_image(image: Mapping[str, Any]) -> Iterator[_Line]:
    *others, last = sorted(image.get("RepoTags") or [_UNTAGGED], key=len, reverse=True)
    manifests = image.get("Manifests") or []
    platforms = [manifest for manifest in manifests if manifest.get("Kind") == "image"]
    for name in others:
        yield _Line(name, top=True)
    total = sum(_size(manifest, "Total") for manifest in manifests) or image.get("Size") or 0
    used = any(manifest["ImageData"].get("Containers") for manifest in platforms) or image.get("Containers", 0) > 0
    yield _Line(last, _cells(image["Id"], total, sum(_size(manifest, "Content") for manifest in manifests), used), top=True)
    for manifest in platforms:
        branch = "└─ " if manifest is platforms[-1] else "├─ "
        cells = _cells(manifest["ID"], _size(manifest, "Total"), _size(manifest, "Content"), bool(manifest["ImageData"].get("Containers")))
        yield _Line(branch + _platform(manifest["ImageData"].get("Platform") or {}), cells, faint=not manifest.get("Available"))


def _cells(digest: str, total: int, content: int, used: bool) -> list[str]:
    return [digest.partition(":")[2][:12], human.size(total, 3), human.size(content, 3), "U" if used else ""]


def _size(manifest: Mapping[str, Any], name: str) -> int:
    return int((manifest.get("Size") or {}).get(name) or 0)


def _platform(platform: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (platform.get("os"), platform.get("architecture"), platform.get("variant")))) or "unknown"


def _room(line: _Line) -> int:
    # docker counts the bytes of the branch and one more.
    return len(line.text) + (0 if line.top else 4)


def _row(line: _Line, room: int) -> str:
    if not line.cells:
        return line.text
    name = line.text if len(line.text) <= room else line.text[: room - 1] + "…"
    parts = [name.ljust(room)]
    for cell, (_, width, right) in zip(line.cells, _COLUMNS):
        parts.append(" " * _GAP + (cell.rjust(width) if right else cell.ljust(width)))
    return "".join(parts)


def _painted(line: _Line, room: int, coloured: bool) -> str:
    text = _row(line, room)
    if line.faint:
        return paint(text, "dim", coloured)
    return paint(text[: len(line.text)], "bold", coloured) + text[len(line.text) :] if line.top else text
