"""COPY, and what ADD has in common with it: which files, where to, whose, and what that makes the key of."""

import os
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.base.patterns import clean, has_wildcard, matcher
from argosy.build import history, keys
from argosy.build.context import digests_of
from argosy.build.dockerfile import ast
from argosy.build.fetch import elsewhere
from argosy.build.instructions import owner as owners
from argosy.build.instructions.operation import ANYWHERE, Operation
from argosy.build.instructions.tree import Tree, handed
from argosy.build.ports import Heard
from argosy.storage.archive import modes
from argosy.storage.drafts import Drafts, Scratch
from argosy.storage.ports import Workers


@dataclass(frozen=True, slots=True)
class Item:
    """One file or directory to copy."""

    tree: int
    path: str
    name: str = ""
    """Another name for a file."""
    kept: str = ""
    """What ``--parents`` keeps of the path."""


@dataclass(frozen=True, slots=True)
class Chosen:
    items: tuple[Item, ...]
    digest: str
    directory: bool = False
    """The first is one."""


@dataclass(frozen=True, slots=True)
class Place:
    """How the files are put down."""

    target: str
    """Absolute; a slash at the end says that it is a directory."""
    owner: tuple[int, int] | None
    mode: str
    """``--chmod``, checked; empty: as it is."""
    excludes: tuple[str, ...] = ()
    parents: bool = False
    link: bool = False

    def key(self) -> list[Any]:
        return [self.target, self.owner, self.mode, self.excludes, self.parents, self.link]


def target(words: str, cwd: str) -> str:
    """Return the absolute destination; ``.``, and whatever ends in a slash, is a directory."""
    directory = words in (".", "") or words.endswith(("/", "/.")) or words == ".."
    path = posixpath.normpath(posixpath.join(cwd or "/", words))
    path = "/" + path.lstrip("/")
    return path if path == "/" or not directory else path + "/"


async def choose(
    tree: Tree, index: int, sources: Sequence[str], *, excludes: Sequence[str], parents: bool, name: str, workers: Workers
) -> Chosen:
    """Return the files that the sources name. Raises NotFoundError in the classic builder's words."""
    cleaned = [clean("/" + source)[1:] for source in sources]
    if not excludes and all(source in tree.known for source in cleaned):
        found = [tree.known[source] for source in cleaned]
    else:
        root = tree.root()
        found = await digests_of(workers, root, cleaned, excludes=excludes) if root is not None else []
    for source in cleaned:
        _check_found(source, [one.path for one in found], tree, name)
    items = [Item(index, one.path, kept=_kept(sources, one.path) if parents else "") for one in found]
    # A directory's own name is not copied; a file's may be.
    named = [[one.digest, one.kind, "" if one.kind == "directory" else one.path.rpartition("/")[2]] for one in found]
    return Chosen(tuple(items), keys.key("chosen", None, named, [item.kept for item in items]), found[0].kind == "directory")


async def foresee(tree: Tree, instructions: Iterable[ast.Instruction], workers: Workers) -> Tree:
    """Return the tree with what all these instructions will ask of it, as far as that is plain: one worker instead of many."""
    plain: dict[str, None] = {}
    for one in instructions:
        if (isinstance(one, ast.Copy) and not one.from_) or isinstance(one, ast.Add):
            paths = [clean("/" + source)[1:] for source in one.sources if elsewhere(source) is None and "$" not in source]
            plain.update(dict.fromkeys(path for path in paths if not one.excludes and not has_wildcard(path)))
    root = tree.root()
    if len(plain) < 2 or root is None:
        return tree
    return replace(tree, known={one.path: one for one in await digests_of(workers, root, list(plain))})


def _check_found(source: str, paths: Sequence[str], tree: Tree, name: str) -> None:
    if has_wildcard(source):
        if not any(map(matcher(source), paths)):
            raise InvalidParameterError(f"{name} failed: no source files were specified")
    elif source not in paths:
        where = "file not found in build context or excluded by .dockerignore: " if tree.context else ""
        raise NotFoundError(f"{name} failed: {where}stat {source}: file does not exist")


def _kept(sources: Sequence[str], path: str) -> str:
    """Return what ``--parents`` keeps of a path: of ``a/./b/c`` it is ``b/c``, without the dot all."""
    for source in sources:
        front, pivot, _ = source.lstrip("/").partition("/./")
        depth = len([part for part in front.split("/") if part not in ("", ".")]) if pivot else 0
        if matcher(clean("/" + source)[1:])(path):
            return "/".join(path.split("/")[depth:])
    return path


def check_target(items: int, place: Place, name: str) -> None:
    """Raise InvalidParameterError when several files are to become one."""
    if items > 1 and not place.target.endswith("/"):
        raise InvalidParameterError(
            f"When using {name} with more than one source file, the destination must be a directory and end with a /"
        )


async def put(items: Sequence[Item], trees: Sequence[Tree], place: Place, scratch: Scratch, *, drafts: Drafts, workers: Workers) -> None:
    """Copy them into the scratch."""
    with handed(trees) as given:
        params = {
            "items": [[given.indexes[item.tree], item.path, item.name, item.kept] for item in items],
            "target": place.target,
            "directory": len(items) > 1 or place.target.endswith("/"),
            "owner": place.owner,
            "mode": place.mode,
            "excludes": list(place.excludes),
            "parents": place.parents,
        }
        await workers.run("place", params, root=drafts.plain(scratch), **given.options())


def write_documents(documents: Sequence[ast.Heredoc], directory: str, *, executable: bool = False) -> None:
    """Write the documents of a COPY or ADD as files, so that they are copied like others."""
    for document in documents:
        path = os.path.join(directory, document.name)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(document.content)
        os.chmod(path, 0o755 if executable else 0o644)
        # The same for every build: the digest of files counts, and their time does not.
        os.utime(path, (0, 0))


async def place_of(
    instruction: ast.Copy | ast.Add, *, cwd: str, from_tree: Tree, chain: str | None, drafts: Drafts, workers: Workers
) -> Place:
    """Return how its files are put down. Files of a context are root's, those of a stage or an image keep their owner."""
    modes.parse(instruction.chmod)
    owner = (0, 0) if not from_tree.owners else None
    if instruction.chown:
        owner = await owners.owner(instruction.chown, drafts.view(chain), workers)
    return Place(
        target=target(instruction.target, cwd),
        owner=owner,
        mode=instruction.chmod,
        excludes=instruction.excludes,
        parents=isinstance(instruction, ast.Copy) and instruction.parents,
        link=instruction.link,
    )


async def copy(
    instruction: ast.Copy, chain: str | None, *, cwd: str, tree: Tree, documents: str, epoch: int, drafts: Drafts, workers: Workers
) -> Operation:
    """Return the step. ``tree``: what ``--from`` means, or the context; ``documents``: an empty directory for here-documents."""
    place = await place_of(instruction, cwd=cwd, from_tree=tree, chain=chain, drafts=drafts, workers=workers)
    trees = [tree, Tree(path=documents)]
    chosen = []
    if instruction.sources:
        options: dict[str, Any] = {"excludes": place.excludes, "parents": place.parents, "name": "COPY", "workers": workers}
        chosen.append(await choose(tree, 0, instruction.sources, **options))
    if instruction.heredocs:
        write_documents(instruction.heredocs, documents)
        names = [document.name for document in instruction.heredocs]
        chosen.append(await choose(trees[1], 1, names, excludes=(), parents=False, name="COPY", workers=workers))
    items = [item for one in chosen for item in one.items]
    check_target(len(items), place, "COPY")

    async def apply(scratch: Scratch, heard: Heard) -> None:
        await put(items, trees, place, scratch, drafts=drafts, workers=workers)

    parts = (place.key(), [one.digest for one in chosen], epoch)
    return Operation(
        key=keys.key("copy", chain, *parts),
        anywhere=keys.key("copy", ANYWHERE, *parts) if place.link else "",
        created_by=history.copy(instruction),
        description=f"[copy] {instruction.original}",
        apply=apply,
    )
