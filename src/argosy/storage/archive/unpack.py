"""An archive copied into a container: ``PUT /containers/{id}/archive`` (moby ``archive.Unpack``)."""

from __future__ import annotations

import os
import stat

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.storage.archive.entry import DIRECTORY, ArchiveError, Entry, clean, show
from argosy.storage.archive.extract import Extractor, remove_tree
from argosy.storage.archive.idmap import IdMap
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.source import Source


def unpack(
    source: Source, path: bytes, *, no_overwrite: bool = False, owner: tuple[int, int] | None = None, ids: IdMap | None = None
) -> int:
    """Extract the stream into the existing directory ``path`` of the current root; return the bytes of files.

    Raises NotFoundError when there is no such directory, InvalidParameterError ``extraction point is not a directory``,
    ArchiveError on what the archive does wrong; what came before that stays, as with Docker.
    """
    try:
        os.chdir(b"/" + path)
    except FileNotFoundError as error:
        raise NotFoundError(f"Could not find the file {show(path)}") from error
    except NotADirectoryError as error:
        raise InvalidParameterError("extraction point is not a directory") from error
    reader = Reader(source)
    extractor = Extractor(reader, _Existing(no_overwrite), owner=owner, ids=ids)
    while (entry := reader.next()) is not None:
        extractor.place(clean(entry.name), entry)
    extractor.finish()
    return extractor.size


class _Existing:
    def __init__(self, no_overwrite: bool) -> None:
        self._no_overwrite = no_overwrite

    def __call__(self, path: bytes, entry: Entry) -> bool:
        directory = stat.S_ISDIR(os.lstat(path).st_mode)
        if self._no_overwrite and directory != (entry.kind == DIRECTORY):
            if directory:
                raise ArchiveError(f'cannot overwrite directory "{show(path)}" with non-directory "/"')
            raise ArchiveError(f'cannot overwrite non-directory "{show(path)}" with directory "/"')
        if directory and entry.kind == DIRECTORY:
            return True
        if path == b".":
            return True
        remove_tree(path, _ignore)
        return False


def _ignore(inode: int) -> None:
    return
