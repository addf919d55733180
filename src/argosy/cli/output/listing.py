"""Lists of things: which fields a row has, and ``--format`` over them."""

from __future__ import annotations

import sys

from argosy.cli.template.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from argosy.cli.session import Session

    Getter = Callable[[Mapping[str, Any]], object]


class Column:
    """A field of a row: its table header and how it is read from the API's document. ``method`` fields take arguments."""

    __slots__ = ("get", "header", "method")

    def __init__(self, header: str, get: Getter, *, method: bool = False) -> None:
        self.header = header
        self.get = get
        self.method = method


class Listing:
    """A kind of list.

    ``table`` names the columns shown by default. ``go_type`` is what docker calls a row in an error.
    """

    __slots__ = ("columns", "cuttable", "foldable", "go_type", "table")

    def __init__(
        self,
        go_type: str,
        columns: Mapping[str, Column],
        table: Sequence[str],
        *,
        foldable: Sequence[str] = (),
        cuttable: Sequence[str] = (),
    ) -> None:
        self.go_type = go_type
        self.columns = columns
        self.table = table
        self.foldable = foldable
        self.cuttable = cuttable


class Row(Record):
    """One thing of a list, as a template sees it."""

    __slots__ = ("_document", "_listing")

    def __init__(self, listing: Listing, document: Mapping[str, Any]) -> None:
        self._listing = listing
        self._document = document

    def field(self, name: str) -> object:
        column = self._listing.columns.get(name)
        if column is None:
            raise KeyError(name)
        return column.get(self._document)

    def plain(self) -> dict[str, Any]:
        # Go's formatter prints the methods' names in order of the alphabet.
        return {name: column.get(self._document) for name, column in sorted(self._listing.columns.items()) if not column.method}


class _Headers(Record):
    """Stands in for a row to make a table's header."""

    __slots__ = ("_listing",)

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def field(self, name: str) -> object:
        column = self._listing.columns.get(name)
        if column is None:
            raise KeyError(name)
        if column.method:
            return lambda *words: str(words[-1]).rpartition(".")[2].replace("-", " ").replace("_", " ") if words else ""
        return column.header

    def plain(self) -> dict[str, Any]:
        return {name: column.header for name, column in self._listing.columns.items()}


def show(
    session: Session,
    listing: Listing,
    documents: Iterable[Mapping[str, Any]],
    wanted: str = "",
    *,
    table: Sequence[str] = (),
    trunc: bool = True,
    headless: bool = False,
) -> None:
    """Print the list as ``wanted`` says: ``""`` or ``table``, ``table TEMPLATE``, ``json``, ``jsonl``, ``yaml``, or a template."""
    if wanted in ("", "table"):
        columns = [listing.columns[name] for name in table or listing.table]
        rows = [[str(column.get(document)) for column in columns] for document in documents]
        _write_table(session, listing, [column.header for column in columns], rows, trunc)
    elif wanted in ("json", "jsonl", "yaml"):
        _write_data(wanted, [Row(listing, document) for document in documents])
    else:
        _write_template(session, listing, documents, wanted, trunc)


def _write_table(session: Session, listing: Listing, headers: Sequence[str], rows: Sequence[Sequence[str]], trunc: bool) -> None:
    from argosy.cli.output.table import render

    width = session.width if trunc else 0
    sys.stdout.write(render(headers, rows, width=width, foldable=listing.foldable, cuttable=listing.cuttable))


def _write_data(kind: str, rows: Sequence[Row]) -> None:
    if kind == "yaml":
        from argosy.cli.output.yaml import dump

        sys.stdout.write(dump([row.plain() for row in rows]))
        return
    from argosy.cli.template.values import to_json

    for row in rows:
        sys.stdout.write(to_json(row) + "\n")


def _write_template(session: Session, listing: Listing, documents: Iterable[Mapping[str, Any]], wanted: str, trunc: bool) -> None:
    from argosy.cli.output.template import compiled, executed

    is_table = wanted.startswith("table ")
    template = compiled(wanted.removeprefix("table ").strip() if is_table else wanted)
    lines = [executed(template, Row(listing, document), listing.go_type) for document in documents]
    if not is_table:
        for line in lines:
            sys.stdout.write(line + "\n")
        return
    headers = executed(template, _Headers(listing), listing.go_type).split("\t")
    rows = [(line.split("\t") + [""] * len(headers))[: len(headers)] for text in lines for line in text.split("\n")]
    _write_table(session, listing, headers, rows, trunc)
