"""The rules of ``cp``: what the copy is called and where it lands (docs.docker.com, docker container cp).

A source ``dir/.`` means the content of the directory. A target that is a directory takes the source under its own name; one that does
not exist becomes the source's new name, if the directory above it exists.
"""

from __future__ import annotations

import os
import stat
import sys

from argosy.cli.archive.pack import Entry, pack, walk
from argosy.cli.archive.unpack import unpack
from argosy.cli.errors import ExitError
from argosy.cli.output.progress import Bytes
from argosy.client import containers
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from argosy.cli.session import Session

# Go's os.FileMode.
_GO_DIRECTORY = 1 << 31
_GO_LINK = 1 << 27


def wants_content(path: str) -> bool:
    return path == "." or path.endswith("/.")


def wants_directory(path: str) -> bool:
    """True if the spelling says that it must be a directory."""
    return path.endswith("/") or wants_content(path)


def landing(*, source_name: str, source_is_directory: bool, content_only: bool, target: str, target_kind: str) -> tuple[str, str]:
    """Return the directory to unpack into and the name there, ``""`` for the directory itself.

    ``target_kind`` is directory, file or missing. Raises ExitError in docker's words.
    """
    above, name = os.path.split(target.rstrip("/") or "/")
    if target_kind == "directory":
        return target, "" if content_only and source_is_directory else source_name
    if target_kind == "file":
        if source_is_directory:
            raise ExitError(1, "cannot copy directory")
        if wants_directory(target):
            raise ExitError(1, "not a directory")
        return above or ".", name
    if wants_directory(target) and not source_is_directory:
        raise ExitError(1, "no such directory")
    return above or ".", name


def from_container(session: Session, container: str, path: str, target: str, *, owners: bool, follow: bool, quiet: bool) -> int:
    """Copy to this machine and return the bytes of the archive."""
    if follow:
        found = stat_path(session, container, path)
        if found is not None and found["mode"] & _GO_LINK and found.get("linkTarget"):
            link = str(found["linkTarget"])
            path = link if link.startswith("/") else os.path.join(os.path.dirname(path), link)
    if target == "-":
        from argosy.cli.output import files

        if sys.stdout.isatty():
            raise ExitError(1, "cowardly refusing to copy to a terminal. Redirect the output")
        files.write("", session.stream(containers.archive_get(container, path)))
        return 0
    above = os.path.dirname(os.path.abspath(target))
    if not os.path.isdir(above):
        raise ExitError(1, f'invalid output path: directory "{above}" does not exist')
    answer = session.client.send(containers.archive_get(container, path))
    try:
        found = containers.path_stat(answer.head.headers.get("x-docker-container-path-stat", ""))
        kind = "directory" if os.path.isdir(target) else "file" if os.path.lexists(target) else "missing"
        parent, name = landing(
            source_name=os.path.basename(os.path.normpath(path)) or "root",
            source_is_directory=bool(found["mode"] & _GO_DIRECTORY),
            content_only=wants_content(path),
            target=target,
            target_kind=kind,
        )
    except BaseException:
        answer.close()
        raise
    progress = Bytes("Copying from container", 0, sys.stderr, quiet=quiet)
    return unpack(progress.passing(answer.pieces()), parent, name, owners=owners)


def to_container(session: Session, source: str, container: str, path: str, *, owners: bool, follow: bool, quiet: bool) -> int:
    """Copy into a container and return the bytes of the archive."""
    found = stat_path(session, container, path)
    if found is not None and found["mode"] & _GO_LINK and found.get("linkTarget"):
        # The target of a link is where the copy goes, as cp(1) does.
        link = str(found["linkTarget"])
        path = link if link.startswith("/") else os.path.join(os.path.dirname(path), link)
        found = stat_path(session, container, path)
    kind = "missing" if found is None else "directory" if found["mode"] & _GO_DIRECTORY else "file"
    progress = Bytes("Copying to container", 0, sys.stderr, quiet=quiet)
    if source == "-":
        if kind != "directory":
            raise ExitError(1, f'destination "{container}:{path}" must be a directory')
        pieces = progress.reading(sys.stdin.buffer)
        parent = path
    else:
        parent, pieces = _packed(source, path, kind, follow)
        pieces = progress.passing(pieces)
    counter = _Counter(pieces)
    session.call(containers.archive_put(container, parent, counter.pieces(), no_overwrite=True, copy_ids=owners))
    return counter.count


class _Counter:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.count = 0

    def pieces(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.count += len(piece)
            yield piece


def _packed(source: str, path: str, kind: str, follow: bool) -> tuple[str, Iterator[bytes]]:
    try:
        status = os.stat(source) if follow or wants_directory(source) else os.lstat(source)
    except OSError as error:
        raise ExitError(1, f"lstat {os.path.abspath(source)}: {(error.strerror or '').lower()}") from None
    directory = stat.S_ISDIR(status.st_mode)
    if wants_directory(source) and not directory:
        raise ExitError(1, f"{source}: not a directory")
    real = os.path.realpath(source) if follow else source
    parent, name = landing(
        source_name=os.path.basename(os.path.abspath(source)),
        source_is_directory=directory,
        content_only=wants_content(source),
        target=path,
        target_kind=kind,
    )
    return parent, pack(_entries(real, name, directory))


def _entries(source: str, name: str, directory: bool) -> Iterator[Entry]:
    if name:
        yield Entry(name, source)
    if directory:
        yield from walk(source, name=name)


def stat_path(session: Session, container: str, path: str) -> dict[str, Any] | None:
    """Return what the daemon says of a path, None when it is not there; a missing container is raised."""
    try:
        answer = session.client.send(containers.archive_stat(container, path))
    except ApiError as error:
        if error.status != 404:
            raise
        # A HEAD has no body, and a missing container is 404 as well: this tells them apart.
        session.call(containers.inspect(container))
        return None
    answer.read()
    return containers.path_stat(answer.head.headers.get("x-docker-container-path-stat", ""))
