"""A layer's tar applied to a tree.

OCI image specification, "Image Layer Filesystem Changeset" (layer.md): ``.wh.NAME`` hides NAME of lower layers,
``.wh..wh..opq`` hides all that lower layers have in the directory. On overlayfs they become its own form: a character device
0/0, and ``trusted.overlay.opaque`` (Documentation/filesystems/overlayfs.rst); on a plain copy of the parent they are carried out.
"""

from __future__ import annotations

import os
import stat

from argosy.storage.archive.entry import CHARACTER, DIRECTORY, Entry, clean
from argosy.storage.archive.extract import Extractor, remove_tree
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.recipe import Writer
from argosy.storage.archive.source import Source

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
_META = b".wh..wh."
_OPAQUE_XATTR = b"trusted.overlay.opaque"


def apply_layer(source: Source, *, overlay: bool, recipe: Writer | None = None) -> int:
    """Apply the whole stream to the current directory and return the bytes of files that it brought."""
    return _Layer(source, overlay, recipe).run()


class _Layer:
    def __init__(self, source: Source, overlay: bool, recipe: Writer | None) -> None:
        self._overlay = overlay
        self._recipe = recipe
        self._reader = Reader(source, recipe)
        self._extractor = Extractor(self._reader, self._existing, recipe=recipe)
        self._placed: set[bytes] = set()
        """Paths that this layer brought, with their parents: whiteouts of the same layer do not touch them."""
        self._hidden: set[bytes] = set()
        """Paths that this layer took away."""

    def run(self) -> int:
        while (entry := self._reader.next()) is not None:
            path = clean(entry.name)
            directory, _, base = path.rpartition(b"/")
            if base.startswith(_META):
                if base == OPAQUE:
                    self._opaque(directory or b".")
                # Others are aufs' own bookkeeping, which Docker passes over too.
            elif base.startswith(WHITEOUT):
                name = base[len(WHITEOUT) :]
                self._whiteout(directory + b"/" + name if directory else name, name)
            elif entry.kind == CHARACTER and not entry.devmajor and not entry.devminor:
                self._whiteout(path, base)
            else:
                self._extractor.place(path, entry)
                self._note(path)
                if entry.kind == DIRECTORY and self._overlay and path in self._hidden:
                    os.setxattr(path, _OPAQUE_XATTR, b"y", follow_symlinks=False)
        self._extractor.finish()
        return self._extractor.size

    def _note(self, path: bytes) -> None:
        while path and path not in self._placed:
            self._placed.add(path)
            path = path.rpartition(b"/")[0]

    def _existing(self, path: bytes, entry: Entry) -> bool:
        """Directories merge, everything else is replaced (moby pkg/archive UnpackLayer)."""
        if entry.kind == DIRECTORY and stat.S_ISDIR(os.lstat(path).st_mode):
            return True
        if path != b".":
            self._clear(path)
        return path == b"."

    def _clear(self, path: bytes) -> None:
        directory = _is_directory(path)
        remove_tree(path, self._recipe.gone if self._recipe is not None else _ignore)
        self._placed.discard(path)
        if directory:
            below = path + b"/"
            self._placed = {known for known in self._placed if not known.startswith(below)}
            self._extractor.forget(path)

    def _whiteout(self, path: bytes, name: bytes) -> None:
        if name in (b"", b".", b".."):
            clean(name or b"..")
            return
        if path in self._placed:
            if self._overlay and _is_directory(path):
                os.setxattr(path, _OPAQUE_XATTR, b"y", follow_symlinks=False)
            elif not self._overlay:
                self._prune(path)
            return
        self._hidden.add(path)
        if not self._overlay:
            if os.path.lexists(path):
                remove_tree(path, _ignore)
            return
        if not os.path.lexists(path):
            self._extractor.make_parents(path)
            os.mknod(path, stat.S_IFCHR, 0)

    def _opaque(self, directory: bytes) -> None:
        if self._overlay:
            if not os.path.lexists(directory):
                self._extractor.make_parents(directory + b"/.")
            os.setxattr(directory, _OPAQUE_XATTR, b"y", follow_symlinks=False)
        else:
            self._prune(directory)

    def _prune(self, directory: bytes) -> None:
        """Remove what lower layers brought below ``directory`` and keep what this one did."""
        if not _is_directory(directory):
            return
        with os.scandir(directory) as listing:
            names = [item.name for item in listing]
        for name in names:
            path = name if directory == b"." else directory + b"/" + name
            if path in self._placed:
                self._prune(path)
            else:
                remove_tree(path, _ignore)


def _is_directory(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _ignore(inode: int) -> None:
    return
