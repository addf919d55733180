"""The fields of an image in a list (docker's formatter.ImageContext)."""

from __future__ import annotations

import time

from argosy.cli.output import human
from argosy.cli.output.listing import Column, Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

NONE = "<none>"


def rows(found: Iterable[Mapping[str, Any]], digests: bool) -> Iterator[dict[str, Any]]:
    """Yield one row a tag (and digest, where those are shown); an image without either has one row of its own."""
    for image in found:
        tags: dict[str, list[str]] = {}
        for name in image.get("RepoTags") or []:
            if name != "<none>:<none>":
                repository, _, tag = name.rpartition(":")
                tags.setdefault(repository, []).append(tag)
        by_digest: dict[str, list[str]] = {}
        for name in image.get("RepoDigests") or []:
            if not name.startswith("<none>@"):
                repository, _, digest = name.partition("@")
                by_digest.setdefault(repository, []).append(digest)
        yield from _of_image(image, tags, by_digest, digests)


def _of_image(
    image: Mapping[str, Any], tags: Mapping[str, list[str]], by_digest: Mapping[str, list[str]], digests: bool
) -> Iterator[dict[str, Any]]:
    any_row = False
    for repository in [*tags, *(name for name in by_digest if name not in tags)]:
        known = by_digest.get(repository, [])
        for tag in tags.get(repository, [NONE]):
            for digest in known if digests and known else [NONE]:
                any_row = True
                yield {**image, "_repository": repository, "_tag": tag, "_digest": digest}
    if not any_row:
        yield {**image, "_repository": NONE, "_tag": NONE, "_digest": NONE}


def listing(trunc: bool = True) -> Listing:
    now = time.time()
    columns = {
        "ID": Column("IMAGE ID", lambda row: row["Id"].removeprefix("sha256:")[:12] if trunc else row["Id"]),
        "Repository": Column("REPOSITORY", lambda row: row["_repository"]),
        "Tag": Column("TAG", lambda row: row["_tag"]),
        "Digest": Column("DIGEST", lambda row: row["_digest"]),
        "CreatedSince": Column("CREATED", lambda row: human.ago(row["Created"], now) if row.get("Created") else "N/A"),
        "CreatedAt": Column("CREATED AT", lambda row: human.local(row["Created"])),
        "Size": Column("SIZE", lambda row: human.size(row.get("Size") or 0, 3)),
        "Containers": Column("CONTAINERS", lambda row: "N/A" if row.get("Containers", -1) == -1 else str(row["Containers"])),
        "VirtualSize": Column("SIZE", lambda row: human.size(row.get("Size") or 0)),
        "SharedSize": Column("SHARED SIZE", lambda row: "N/A" if row.get("SharedSize", -1) == -1 else human.size(row["SharedSize"])),
        "UniqueSize": Column(
            "UNIQUE SIZE",
            lambda row: "N/A" if row.get("SharedSize", -1) == -1 else human.size((row.get("Size") or 0) - row["SharedSize"]),
        ),
    }
    table = ("Repository", "Tag", "ID", "CreatedSince", "Size")
    return Listing("*formatter.imageContext", columns, table, cuttable=("REPOSITORY", "DIGEST", "TAG"))
