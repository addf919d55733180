"""Which repositories there are."""

import os
from collections.abc import Iterator

from argosy.registry.storage.layout import Layout


def repositories(layout: Layout) -> list[str]:
    """Return the names of all repositories that hold a manifest, in order of their bytes."""
    return sorted(name for name in folders(layout) if os.path.isdir(f"{layout.repository(name)}/_manifests"))


def folders(layout: Layout) -> Iterator[str]:
    """Yield the name of every folder that has something of ours in it, also where nothing was pushed to the end."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        try:
            entries = list(os.scandir(f"{layout.repositories}/{above}"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        if above and any(entry.name[0] == "_" for entry in entries):
            yield above
        waiting += [f"{above}/{entry.name}" if above else entry.name for entry in entries if entry.name[0] != "_" and entry.is_dir()]
