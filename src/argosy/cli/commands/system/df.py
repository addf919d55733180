"""``argosy system df``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.output import human, listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_KINDS = {
    "Type": Column("TYPE", lambda row: row["type"]),
    "TotalCount": Column("TOTAL", lambda row: str(row["total"])),
    "Active": Column("ACTIVE", lambda row: str(row["active"])),
    "Size": Column("SIZE", lambda row: human.size(row["size"])),
    "Reclaimable": Column("RECLAIMABLE", lambda row: _share(row)),
}
_LISTING = Listing("*formatter.diskUsageContext", _KINDS, ("Type", "TotalCount", "Active", "Size", "Reclaimable"))


def _share(row: Mapping[str, Any]) -> str:
    text = human.size(row["free"])
    return f"{text} ({row['free'] * 100 // row['size']}%)" if row["size"] > 0 and row["type"] != "Build Cache" else text


def summary(usage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the four rows, computed as docker does."""
    images, containers = usage.get("Images") or [], usage.get("Containers") or []
    volumes, cache = usage.get("Volumes") or [], usage.get("BuildCache") or []
    used = sum(
        max(0, (image.get("Size") or 0) - max(0, image.get("SharedSize") or 0)) for image in images if image.get("Containers", 0) > 0
    )
    layers = usage.get("LayersSize") or 0
    running = [one for one in containers if one.get("State") in ("running", "paused", "restarting")]
    written = sum(one.get("SizeRw") or 0 for one in containers)
    volume_size = sum(_size(one) for one in volumes)
    return [
        _row("Images", len(images), sum(image.get("Containers", 0) > 0 for image in images), layers, max(0, layers - used)),
        _row("Containers", len(containers), len(running), written, written - sum(one.get("SizeRw") or 0 for one in running)),
        _row(
            "Local Volumes",
            len(volumes),
            sum(_links(one) > 0 for one in volumes),
            volume_size,
            sum(_size(o) for o in volumes if not _links(o)),
        ),
        _row(
            "Build Cache",
            len(cache),
            sum(bool(one.get("InUse")) for one in cache),
            usage.get("BuilderSize") or sum(one.get("Size") or 0 for one in cache if not one.get("Shared")),
            sum(one.get("Size") or 0 for one in cache if not one.get("InUse") and not one.get("Shared")),
        ),
    ]


def _row(kind: str, total: int, active: int, size: int, free: int) -> dict[str, Any]:
    return {"type": kind, "total": total, "active": active, "size": size, "free": free}


def _size(volume: Mapping[str, Any]) -> int:
    return max(0, (volume.get("UsageData") or {}).get("Size") or 0)


def _links(volume: Mapping[str, Any]) -> int:
    return int((volume.get("UsageData") or {}).get("RefCount") or 0)


def run(session: Session, values: Values) -> None:
    usage = session.call(system.df())
    if not values.switch("verbose"):
        listing.show(session, _LISTING, summary(usage), values.text("format"))
        return
    if values.text("format"):
        _verbose_data(values.text("format"), usage)
        return
    _verbose(session, usage)


def _verbose_data(form: str, usage: Mapping[str, Any]) -> None:
    from argosy.cli.output.document import templated
    from argosy.cli.template.values import to_json

    if form == "table":
        raise ExitError(1, "the verbose option does not support the table format")
    sys.stdout.write((to_json(usage) if form in ("json", "jsonl") else templated(usage, form)) + "\n")


def _verbose(session: Session, usage: Mapping[str, Any]) -> None:
    from argosy.cli.commands.volume.list_ import LISTING as VOLUMES
    from argosy.cli.output import containers, images

    session.say("Images space usage:\n")
    of_images = images.listing()
    table: tuple[str, ...] = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers")
    listing.show(session, of_images, list(images.rows(usage.get("Images") or [], False)), table=table)
    session.say("\nContainers space usage:\n")
    table = ("ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names")
    rows = [{**row, "SizeRootFs": 0} for row in usage.get("Containers") or []]
    listing.show(session, containers.listing(), rows, table=table)
    session.say("\nLocal Volumes space usage:\n")
    listing.show(session, VOLUMES, usage.get("Volumes") or [], table=("Name", "Links", "Size"))
    session.say(f"\nBuild cache usage: {human.size(summary(usage)[3]['size'])}\n")
    listing.show(session, _CACHE, usage.get("BuildCache") or [])


_CACHE = Listing(
    "*formatter.buildCacheContext",
    {
        "ID": Column("CACHE ID", lambda row: row["ID"][:12]),
        "CacheType": Column("CACHE TYPE", lambda row: row.get("Type", "")),
        "Size": Column("SIZE", lambda row: human.size(row.get("Size") or 0, 3)),
        "CreatedSince": Column("CREATED", lambda row: _since(row.get("CreatedAt"))),
        "LastUsedSince": Column("LAST USED", lambda row: _since(row.get("LastUsedAt"))),
        "UsageCount": Column("USAGE", lambda row: str(row.get("UsageCount") or 0)),
        "Shared": Column("SHARED", lambda row: str(bool(row.get("Shared"))).lower()),
    },
    ("ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"),
)


def _since(text: object) -> str:
    import time

    moment = human.parse_rfc3339(str(text)) if text else 0.0
    return human.ago(moment, time.time()) if moment else ""


COMMAND = Command(run, flags=(LIST_FORMAT, Flag("verbose", "v", help="Show detailed information on space usage")))
