"""``--squash``: all that a build changed as one layer on its base."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec

from argosy.build.solve.state import State
from argosy.oci.image import History
from argosy.storage.ingest import Part
from argosy.storage.layers import Layers
from argosy.storage.model import Directory


async def squash(state: State, layers: Layers, scratch: Path, *, created: str) -> State:
    """Return the state with one layer where there were several; the entries of the history stay, without layers (moby ``squash``).

    ``scratch``: a directory for what passes through. The new layer is on the disk on return, and leased; the
    caller gives the lease back.
    """
    base = state.base.chain if state.base is not None else None
    if state.chain is None:
        return state
    if state.chain == base:
        layers.leases.acquire(state.chain)
        return state
    await layers.drafts.settle()
    upper, lower = layers.drafts.view(state.chain), layers.drafts.view(base)
    empty = tempfile.mkdtemp(dir=scratch)
    assert upper is not None
    fd = os.open(scratch, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        await layers.workers.run("diff_layer", {"latest": -1}, fds=[fd], views=[upper, lower if lower is not None else Directory(empty)])
        async with layers.ingest() as ingest:
            layer = await ingest.add(base, Part(fd, 0, os.fstat(fd).st_size), recipe_always=True)
            layers.leases.acquire(layer.chain_id)
    finally:
        os.close(fd)
    inherited = len(state.base.config.history or ()) if state.base is not None else 0
    entries = [msgspec.structs.replace(entry, empty_layer=True) for entry in state.history[inherited:]]
    merged = History(created=created, comment=f"merge {state.chain} to {base or 'scratch'}")
    return replace(state, chain=layer.chain_id, history=(*state.history[:inherited], *entries, merged))
