"""The fields of a container in a list (docker's formatter.ContainerContext)."""

from __future__ import annotations

import time

from argosy.cli.output import human
from argosy.cli.output.listing import Column, Listing
from argosy.cli.output.ports import guarded
from argosy.cli.template.quoting import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Document = Mapping[str, Any]

_TABLE = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")


def listing(trunc: bool = True) -> Listing:
    """Return the list's form; ``trunc`` shortens ids, commands, links and mounts as docker does without ``--no-trunc``."""
    now = time.time()
    columns = {
        "ID": Column("CONTAINER ID", lambda row: row["Id"][:12] if trunc else row["Id"]),
        "Names": Column("NAMES", lambda row: names(row, trunc)),
        "Image": Column("IMAGE", lambda row: image(row, trunc)),
        "Command": Column("COMMAND", lambda row: command(row, trunc)),
        "CreatedAt": Column("CREATED AT", lambda row: human.local(row["Created"])),
        "RunningFor": Column("CREATED", lambda row: human.ago(row["Created"], now)),
        "Ports": Column("PORTS", lambda row: guarded(row.get("Ports") or [], row.get("Labels") or {})),
        "State": Column("STATE", lambda row: row.get("State", "")),
        "Status": Column("STATUS", lambda row: row.get("Status", "")),
        "Size": Column("SIZE", size),
        "Labels": Column("LABELS", lambda row: pairs(row.get("Labels"))),
        "Label": Column("", lambda row: lambda name: (row.get("Labels") or {}).get(name, ""), method=True),
        "Mounts": Column("MOUNTS", lambda row: mounts(row, trunc)),
        "LocalVolumes": Column("LOCAL VOLUMES", lambda row: str(sum(m.get("Driver") == "local" for m in row.get("Mounts") or []))),
        "Networks": Column("NETWORKS", lambda row: ",".join(sorted((row.get("NetworkSettings") or {}).get("Networks") or {}))),
        "Platform": Column("PLATFORM", platform),
    }
    return Listing("*formatter.ContainerContext", columns, _TABLE, foldable=("PORTS",), cuttable=("COMMAND", "IMAGE", "NAMES", "STATUS"))


def names(row: Document, trunc: bool) -> str:
    """Return the names without slash; with ``trunc`` those of links from other containers are left out."""
    found = [name.removeprefix("/") for name in row.get("Names") or []]
    return ",".join(name for name in found if not trunc or "/" not in name)


def image(row: Document, trunc: bool) -> str:
    text = str(row.get("Image") or "")
    if not text:
        return "<no image>"
    if trunc and text in (row.get("ImageID"), str(row.get("ImageID", "")).removeprefix("sha256:")):
        return text.removeprefix("sha256:")[:12]
    # A reference by tag and digest is shown by its tag.
    return text.partition("@")[0] if trunc and "@" in text else text


def command(row: Document, trunc: bool) -> str:
    text = str(row.get("Command") or "")
    return quote(human.shorten(text, 20) if trunc else text)


def size(row: Document) -> str:
    written, total = row.get("SizeRw") or 0, row.get("SizeRootFs") or 0
    text = human.size(written, 3)
    return f"{text} (virtual {human.size(total, 3)})" if total else text


def pairs(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def mounts(row: Document, trunc: bool) -> str:
    found = [mount.get("Name") or mount.get("Source") or "" for mount in row.get("Mounts") or []]
    return ",".join(human.shorten(name, 15) if trunc else name for name in found)


def platform(row: Document) -> object:
    described = (row.get("ImageManifestDescriptor") or {}).get("platform")
    return "/".join(filter(None, (described.get("os"), described.get("architecture"), described.get("variant")))) if described else None
