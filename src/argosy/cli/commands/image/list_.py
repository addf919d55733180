"""``argosy images``."""

from __future__ import annotations

from argosy.cli.command import Command, at_most
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER
from argosy.cli.output import images as kind
from argosy.cli.output import listing
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    wanted = values.filters()
    if values.arguments:
        wanted["reference"] = [*wanted.get("reference", []), values.arguments[0]]
    found = session.call(images.list_(all_=values.switch("all"), digests=values.switch("digests"), wanted=wanted))
    found.sort(key=lambda image: image.get("Created") or 0, reverse=True)
    trunc, digests = not values.switch("no-trunc"), values.switch("digests")
    form = values.text("format") or ("" if values.switch("quiet") else str(session.config.get("imagesFormat") or ""))
    if values.switch("tree"):
        _tree(session, found)
        return
    rows = list(kind.rows(found, digests or ".Digest" in form))
    of = kind.listing(trunc)
    if values.switch("quiet") and not values.given("format"):
        for row in rows:
            session.say(str(of.columns["ID"].get(row)))
        return
    table = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size") if digests else of.table
    listing.show(session, of, rows, form, table=table, trunc=trunc)


def _tree(session: Session, found: list[dict[str, object]]) -> None:
    """One line an image, its further tags below it."""
    from argosy.cli.output import human

    for image in found:
        names = [str(name) for name in image.get("RepoTags") or [kind.NONE]]  # type: ignore[attr-defined]
        size = image.get("Size")
        session.say(f"{names[0]}  {str(image['Id']).removeprefix('sha256:')[:12]}  {human.size(size if isinstance(size, int) else 0, 3)}")
        for position, name in enumerate(names[1:], 2):
            session.say(f"{'└─' if position == len(names) else '├─'} {name}")


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
        Flag("tree", "", help="List images with their tags as a tree"),
    ),
    arity=at_most(1),
    complete="images",
    examples=(("argosy images --filter dangling=true -q", "those without a name"),),
)
