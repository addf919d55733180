"""What a worker can be asked to do: ``JOBS[name](params, fds)`` returns a JSON value.

Loaded by the launcher before it forks; nothing is imported later. Parameters and results are JSON values, paths in them
text with undecodable bytes as surrogates. The tree that a job creates files in is the process's root (see
`storage.ports.Workers`); trees that are only read come as directory fds. ``ids`` of a copy into or out of
a container with a user namespace: see `idmap`.
"""

from __future__ import annotations

import os

from argosy.base.errors import InvalidParameterError
from argosy.base.patterns import Patterns
from argosy.linux.syscall import call
from argosy.storage.archive import (
    apply,
    commit,
    compare,
    context,
    copy,
    diff,
    graft,
    modes,
    mountpoints,
    paths,
    place,
    recipe,
    remove,
    seal,
    unpack,
)
from argosy.storage.archive.background import BackgroundHash
from argosy.storage.archive.entry import ArchiveError
from argosy.storage.archive.idmap import from_params
from argosy.storage.archive.sink import Sink
from argosy.storage.archive.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Params = Mapping[str, Any]
    Fds = Sequence[int]


def apply_layer(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: archive[, recipe to write]; params: overlay[, offset, size: a region of a file, which is hashed too]. Root: the new layer.

    → size, recipe (usable or not), digest (of a region).
    """
    writer = recipe.Writer(fds[1]) if len(fds) > 1 else None
    digest = None
    if "offset" in params:
        digest = BackgroundHash()
        digest.file(fds[0], params["offset"], params["size"])
    os.chdir("/")
    size = apply.apply_layer(_source(params, fds[0]), overlay=params["overlay"], recipe=writer)
    return {
        "size": size,
        "recipe": writer.finish() if writer is not None else False,
        "digest": digest.finish() if digest is not None else "",
    }


def diff_layer(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: out, upper, lower: plain trees; params: latest (seconds). → size of the tar."""
    sink = Sink(fds[0])
    diff.diff_plain(fds[1], fds[2], sink, params["latest"])
    return {"size": sink.count}


def commit_layer(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: upper, recipe to write. Root: the new layer, which becomes a copy of ``upper``, on the disk on return.

    → size, tar_size, digest, recipe.
    """
    writer = recipe.Writer(fds[1])
    digest = BackgroundHash()
    os.chdir("/")
    size, tar_size = commit.commit(fds[0], digest, writer)
    good = writer.finish()
    # The hash is behind: the disk works meanwhile.
    call("syncfs", fds[1])
    return {"size": size, "tar_size": tar_size, "digest": digest.finish(), "recipe": good}


def seal_layer(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: recipe to write; params: latest. Root: the upper directory. → size, tar_size, digest, recipe."""
    writer = recipe.Writer(fds[0])
    digest = BackgroundHash()
    os.chdir("/")
    try:
        size, tar_size = seal.seal(digest, writer, params["latest"])
    finally:
        found = digest.finish()
    return {"size": size, "tar_size": tar_size, "digest": found, "recipe": writer.finish()}


def place_files(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: trees; params: items [[index of a tree, path, new name or empty, kept path], …], target, owner ([uid, gid] or None),
    mode (``--chmod``; empty: as it is), excludes, parents, directory (only: it is one). Root: the tree that is built. → size."""
    owner = (params["owner"][0], params["owner"][1]) if params["owner"] else None
    mode = modes.parse(params["mode"])
    if params["directory"]:
        place.make_directory(params["target"], owner, mode.directories)
    placer = place.Placer(params["target"], owner=owner, mode=mode, excludes=Patterns(params["excludes"]), parents=params["parents"])
    for index, path, name, kept in params["items"]:
        placer.put(fds[index], path, name, kept)
    return {"size": placer.size}


def read_files(params: Params, fds: Fds) -> list[str]:
    """params: paths. → the text of each (bytes as latin-1), empty for what is missing or is no plain file of at most 4 MiB."""
    return [paths.read_small(os.fsencode(path)).decode("latin-1") for path in params["paths"]]


def changes(params: Params, fds: Fds) -> list[list[Any]]:
    """fds: upper; params: overlay, lower (the current root is the tree below; else nothing is). → [[path, kind], …]."""
    lower = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if params["lower"] else -1
    found = compare.changes(fds[0], lower, overlay=params["overlay"])
    return [[os.fsencode(path).decode("utf-8", "replace"), kind] for path, kind in found]


def assemble(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: recipe, out. Root: the layer. → size of the tar written."""
    os.chdir("/")
    return {"size": recipe.assemble(fds[0], Sink(fds[1]))}


def stat(params: Params, fds: Fds) -> dict[str, Any]:
    """params: path. → name, size, mode, mtime_ns, linkTarget."""
    return paths.describe(os.fsencode(params["path"]))


def pack(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: out; params: path. → size of the archive."""
    sink = Sink(fds[0])
    paths.pack(os.fsencode(params["path"]), sink, from_params(params))
    return {"size": sink.count}


def export(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: out. → size of the archive."""
    sink = Sink(fds[0])
    paths.export(sink)
    return {"size": sink.count}


def unpack_archive(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: archive; params: path, no_overwrite, owner ([uid, gid] or None). → size of the files."""
    owner = params.get("owner")
    size = unpack.unpack(
        Source(fds[0]),
        paths.absolute(os.fsencode(params["path"])),
        no_overwrite=params.get("no_overwrite", False),
        owner=(owner[0], owner[1]) if owner else None,
        ids=from_params(params),
    )
    return {"size": size}


def copy_tree(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: source directory, target directory. → size."""
    return {"size": copy.copy_tree(fds[0], fds[1])}


def copy_up(params: Params, fds: Fds) -> dict[str, Any]:
    """fds: the volume's directory; params: path in the current root[, ids: the volume has the host's]. Fills an empty volume.

    → size, or 0 if it was not empty.
    """
    if os.listdir(fds[0]):
        return {"size": 0}
    try:
        source = os.open(os.fsencode(params["path"]), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return {"size": 0}
    return {"size": copy.copy_tree(source, fds[0], from_params(params))}


def prune_context(params: Params, fds: Fds) -> None:
    """params: patterns, of a ``.dockerignore``. Root: the context."""
    os.chdir("/")
    context.prune(params["patterns"])


def remove_paths(params: Params, fds: Fds) -> None:
    """params: paths, with all that is below them; what is not there is fine. Root: where they lie."""
    os.chdir("/")
    context.remove_paths(params["paths"])


def digests(params: Params, fds: Fds) -> list[list[str]]:
    """params: sources, excludes: patterns. Root: where they lie. → [[path, kind, digest], …], see `context.digests`."""
    os.chdir("/")
    return context.digests(params["sources"], params["excludes"])


def usage(params: Params, fds: Fds) -> int:
    """fds: directory[, the plain tree that it came from: count only what differs]. → bytes."""
    return remove.usage(fds[0]) if len(fds) == 1 else compare.changed_size(fds[0], fds[1])


def empty(params: Params, fds: Fds) -> None:
    """fds: directory, emptied."""
    remove.remove(fds[0])


def make_mountpoints(params: Params, fds: Fds) -> None:
    """Root: the image with a writable layer above. params: none for a container's own places, or directories, files."""
    if params:
        mountpoints.make_places(params["directories"], params["files"])
    else:
        mountpoints.make()


def _source(params: Params, fd: int) -> Source:
    return Source(fd, params["offset"], params["size"]) if "offset" in params else Source(fd)


def _grafted(job: Callable[[Params, Fds], Any]) -> Callable[[Params, Fds], Any]:
    """params: mounts, [[index of an fd, path], …], parents first: detached mounts attached before the job begins."""

    def run(params: Params, fds: Fds) -> Any:
        for index, path in params.get("mounts", ()):
            graft.attach(fds[index], os.fsencode(path))
        return job(params, fds)

    return run


def _words(job: Callable[[Params, Fds], Any]) -> Callable[[Params, Fds], Any]:
    """Raise what an archive did wrong as the kind of error that everybody knows."""

    def run(params: Params, fds: Fds) -> Any:
        try:
            return job(params, fds)
        except ArchiveError as error:
            raise InvalidParameterError(str(error)) from error

    return run


JOBS: dict[str, Callable[[Params, Fds], Any]] = {
    "apply_layer": _words(apply_layer),
    "assemble": assemble,
    "changes": changes,
    "commit_layer": commit_layer,
    "copy_tree": copy_tree,
    "copy_up": copy_up,
    "diff_layer": diff_layer,
    "digests": digests,
    "empty": empty,
    "export": export,
    "mountpoints": make_mountpoints,
    "pack": _grafted(pack),
    "place": _words(place_files),
    "prune_context": prune_context,
    "read": read_files,
    "remove_paths": remove_paths,
    "seal_layer": seal_layer,
    "stat": _grafted(stat),
    "unpack": _grafted(_words(unpack_archive)),
    "usage": usage,
}
