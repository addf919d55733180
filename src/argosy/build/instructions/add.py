"""ADD: as COPY, and archives of the context are unpacked, and files and repositories come from elsewhere."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from argosy.base.errors import InvalidParameterError
from argosy.build import history, keys
from argosy.build.context import remote
from argosy.build.dockerfile import ast
from argosy.build.fetch import elsewhere
from argosy.build.instructions import archive
from argosy.build.instructions import copy as copying
from argosy.build.instructions.copy import Item, Place
from argosy.build.instructions.operation import ANYWHERE, Operation
from argosy.build.instructions.tree import Tree
from argosy.build.ports import Heard
from argosy.storage.drafts import Drafts, Scratch
from argosy.storage.ports import Workers


class Fetcher(Protocol):
    async def fetch(self, url: str, directory: str, *, checksum: str = "") -> str:
        """Fetch a file into the directory and return its name there. Raises InvalidParameterError, UnavailableError."""
        ...

    async def clone(self, what: remote.Git, directory: str, *, keep_git: bool = False) -> tuple[str, str]:
        """Clone a repository into the directory; return the path of what was asked for in it, and the commit."""
        ...


@dataclass(slots=True)
class _Gathered:
    """Trees and what of them is copied or unpacked, as it comes together."""

    trees: list[Tree]
    items: list[Item] = field(default_factory=list)
    archives: list[Item] = field(default_factory=list)
    digests: list[object] = field(default_factory=list)


async def add(
    instruction: ast.Add,
    chain: str | None,
    *,
    cwd: str,
    tree: Tree,
    fresh: Callable[[], str],
    fetcher: Fetcher,
    epoch: int,
    drafts: Drafts,
    workers: Workers,
) -> Operation:
    """Return the step. ``fresh`` makes an empty directory. Raises what fetching raises, InvalidParameterError, NotFoundError."""
    place = await copying.place_of(instruction, cwd=cwd, from_tree=tree, chain=chain, drafts=drafts, workers=workers)
    gathered = _Gathered([tree])
    for source in instruction.sources:
        what = elsewhere(source)
        if isinstance(what, remote.Git):
            path, commit = await fetcher.clone(what, fresh(), keep_git=instruction.keep_git_dir)
            await _take(gathered, Tree(path=path), ["."], instruction, place, workers, unpack=False)
            if instruction.keep_git_dir or what.keep_git_dir:
                # What git writes of its own (index, logs) is never twice the same; the commit says what is there.
                gathered.digests[-1] = ["git", what.url, what.ref, commit, what.directory]
        elif what is not None:
            if not place.target.endswith("/") and len(instruction.sources) > 1:
                copying.check_target(2, place, "ADD")
            directory = fresh()
            name = await fetcher.fetch(source, directory, checksum=instruction.checksum)
            await _take(gathered, Tree(path=directory), [name], instruction, place, workers, unpack=instruction.unpack is True)
        else:
            await _take(gathered, tree, [source], instruction, place, workers, unpack=instruction.unpack is not False)
    if instruction.checksum and any(elsewhere(source) is None for source in instruction.sources):
        raise InvalidParameterError("checksum can't be specified for non-HTTP(S) sources")
    if instruction.heredocs:
        directory = fresh()
        copying.write_documents(instruction.heredocs, directory)
        names = [document.name for document in instruction.heredocs]
        await _take(gathered, Tree(path=directory), names, instruction, place, workers, unpack=False)
    if not gathered.archives:
        copying.check_target(len(gathered.items), place, "ADD")

    async def apply(scratch: Scratch, heard: Heard) -> None:
        await _apply(gathered, place, bool(instruction.chown), scratch, drafts=drafts, workers=workers)

    parts = (place.key(), gathered.digests, bool(instruction.chown), epoch)
    return Operation(
        key=keys.key("add", chain, *parts),
        anywhere=keys.key("add", ANYWHERE, *parts) if place.link else "",
        created_by=history.copy(instruction),
        description=f"[add] {instruction.original}",
        apply=apply,
    )


async def _take(
    gathered: _Gathered, tree: Tree, sources: Sequence[str], instruction: ast.Add, place: Place, workers: Workers, *, unpack: bool
) -> None:
    index = gathered.trees.index(tree) if tree in gathered.trees else len(gathered.trees)
    if index == len(gathered.trees):
        gathered.trees.append(tree)
    chosen = await copying.choose(tree, index, sources, excludes=place.excludes, parents=False, name="ADD", workers=workers)
    for item in chosen.items:
        packed = unpack and await asyncio.to_thread(_is_archive, tree, item.path)
        (gathered.archives if packed else gathered.items).append(item)
    gathered.digests.append([chosen.digest, unpack])


def _is_archive(tree: Tree, path: str) -> bool:
    fd = archive.open_file(tree, path or ".")
    try:
        return not _is_directory(fd) and archive.is_archive(fd)
    finally:
        os.close(fd)


def _is_directory(fd: int) -> bool:
    return os.path.isdir(f"/proc/self/fd/{fd}")


async def _apply(gathered: _Gathered, place: Place, chowned: bool, scratch: Scratch, *, drafts: Drafts, workers: Workers) -> None:
    if gathered.items:
        await copying.put(gathered.items, gathered.trees, place, scratch, drafts=drafts, workers=workers)
    if not gathered.archives:
        return
    directory = replace(place, target=place.target.rstrip("/") + "/")
    await copying.put([], [], directory, scratch, drafts=drafts, workers=workers)
    for item in gathered.archives:
        fd = archive.open_file(gathered.trees[item.tree], item.path)
        try:
            root = drafts.plain(scratch)
            await archive.unpack(fd, directory.target, place.owner if chowned else None, root, workers, drafts.limits)
        finally:
            os.close(fd)
