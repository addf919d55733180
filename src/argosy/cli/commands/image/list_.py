"""``argosy images``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, at_most
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER
from argosy.cli.output import images as kind
from argosy.cli.output import listing
from argosy.cli.session import Session
from argosy.client import images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> None:
    wanted = values.filters()
    if values.arguments:
        wanted["reference"] = [*wanted.get("reference", []), values.arguments[0]]
    tree = values.switch("tree")
    if tree:
        _refuse_with_tree(values)
    found = session.call(images.list_(all_=values.switch("all"), digests=values.switch("digests"), manifests=tree, wanted=wanted))
    found.sort(key=lambda image: image.get("Created") or 0, reverse=True)
    if tree:
        sys.stdout.write(_tree(session, found))
        return
    trunc, digests = not values.switch("no-trunc"), values.switch("digests")
    form = values.text("format") or ("" if values.switch("quiet") else str(session.config.get("imagesFormat") or ""))
    rows = list(kind.rows(found, digests or ".Digest" in form))
    of = kind.listing(trunc)
    if values.switch("quiet") and not values.given("format"):
        for row in rows:
            session.say(str(of.columns["ID"].get(row)))
        return
    table = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size") if digests else of.table
    listing.show(session, of, rows, form, table=table, trunc=trunc)


def _refuse_with_tree(values: Values) -> None:
    """Raises ExitError in docker's words for what a tree cannot show."""
    for flag, name in (("quiet", "quiet"), ("no-trunc", "no-trunc"), ("digests", "show-digest"), ("format", "format")):
        if values.given(flag):
            raise ExitError(1, f"--{name} is not yet supported with --tree")


def _tree(session: Session, found: list[dict[str, Any]]) -> str:
    from argosy.cli.output import colour, tree

    return tree.render(found, width=session.width or 80, coloured=colour.wanted(sys.stdout, session.environ))


COMMAND = Command(
    run,
    "[REPOSITORY[:TAG]]",
    flags=(
        Flag("all", "a", help="Show all images (default hides intermediate images)"),
        Flag("digests", "", help="Show digests"),
        Flag("filter", "f", FILTER, "Filter output based on conditions provided"),
        LIST_FORMAT,
        Flag("no-trunc", "", help="Don't truncate output"),
        Flag("quiet", "q", help="Only show image IDs"),
        Flag("tree", "", help="List multi-platform images as a tree"),
    ),
    arity=at_most(1),
    complete="images",
    examples=(("argosy images --filter dangling=true -q", "those without a name"), ("argosy images --tree", "which platforms are here")),
)
