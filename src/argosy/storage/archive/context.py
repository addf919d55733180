"""What a build asks of a context's tree: to drop what ``.dockerignore`` names, and checksums of what ``COPY`` would take."""

from __future__ import annotations

import os
import stat
from _hashlib import HASH, openssl_sha256

from argosy.base.patterns import Patterns, clean, has_wildcard, matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def prune(patterns: Sequence[str]) -> None:
    """Remove what the patterns exclude from the current directory, and directories that are left empty by that."""
    _prune(".", "", Patterns(patterns))


def _prune(directory: str, prefix: str, patterns: Patterns) -> None:
    with os.scandir(directory) as listing:
        items = [(item.path, prefix + item.name, item.is_dir(follow_symlinks=False)) for item in listing]
    for path, name, below in items:
        excluded = patterns.excludes(name)
        if below and (not excluded or patterns.may_readmit(name)):
            _prune(path, name + "/", patterns)
        if not excluded:
            continue
        if not below:
            os.unlink(path)
        elif not patterns.may_readmit(name):
            _remove(path)
        else:
            _remove_empty(path)


def remove_paths(paths: Sequence[str]) -> None:
    """Remove files, and directories with all that is in them; what is not there is fine."""
    for path in paths:
        try:
            os.unlink(path)
        except IsADirectoryError:
            _remove(path)
        except (FileNotFoundError, NotADirectoryError):
            continue


def _remove(directory: str) -> None:
    with os.scandir(directory) as listing:
        items = [(item.path, item.is_dir(follow_symlinks=False)) for item in listing]
    for path, below in items:
        _remove(path) if below else os.unlink(path)
    os.rmdir(directory)


def _remove_empty(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError:
        # Something below is wanted again.
        return


def digests(sources: Sequence[str], excludes: Sequence[str]) -> list[list[str]]:
    """Return [path, kind, digest] of everything that the sources of a ``COPY`` match in the current root, each source's sorted.

    ``kind`` is ``directory``, ``file`` or ``other``. A link that is named itself is followed, one found below a directory is not; both
    stay inside the root, which is the process's. A source that is not there, or a wildcard that matches nothing, adds nothing.
    The digest covers names, kinds, modes, owners, link targets, device numbers, extended attributes and content; no times, so that
    a fresh checkout is the same. ``excludes`` are patterns below each match, as ``COPY --exclude``.
    """
    found: list[list[str]] = []
    for source in sources:
        path = clean("/" + source)[1:]
        names = sorted(_matches(path)) if has_wildcard(path) else [path]
        for name in names:
            one = _one(name, Patterns(excludes))
            if one is not None:
                found.append([name, *one])
    return found


def _matches(pattern: str) -> Iterator[str]:
    """Yield the paths that match, going only into directories that may hold some."""
    parts = pattern.split("/")
    level = [""]
    for number, part in enumerate(parts):
        following: list[str] = []
        wild = has_wildcard(part)
        match = matcher(part)
        for directory in level:
            names = _names(directory) if wild else [part]
            following += [f"{directory}{name}" for name in names if not wild or match(name)]
        last = number == len(parts) - 1
        level = [path if last else path + "/" for path in following if os.path.lexists("/" + path)]
    yield from level


def _names(directory: str) -> list[str]:
    try:
        return os.listdir("/" + directory)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _one(name: str, excludes: Patterns) -> tuple[str, str] | None:
    path = os.path.realpath("/" + name)
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    hashed = openssl_sha256()
    if not stat.S_ISDIR(found.st_mode):
        _entry(hashed, "", path, found)
        return ("file" if stat.S_ISREG(found.st_mode) else "other"), hashed.hexdigest()
    _tree(hashed, path, "", found, excludes)
    return "directory", hashed.hexdigest()


def _tree(hashed: HASH, path: str, prefix: str, found: os.stat_result, excludes: Patterns) -> None:
    _entry(hashed, prefix, path, found)
    with os.scandir(path) as listing:
        items = sorted((item.name, item.path) for item in listing)
    for name, below in items:
        inside = prefix + name
        if excludes and excludes.excludes(inside):
            if os.path.isdir(below) and not os.path.islink(below) and excludes.may_readmit(inside):
                _tree(hashed, below, inside + "/", os.lstat(below), excludes)
            continue
        about = os.lstat(below)
        if stat.S_ISDIR(about.st_mode):
            _tree(hashed, below, inside + "/", about, excludes)
        else:
            _entry(hashed, inside, below, about)


def _entry(hashed: HASH, name: str, path: str, found: os.stat_result) -> None:
    """Add one file, every part with its length, so that no two trees give the same bytes."""
    link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
    device = found.st_rdev if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode) else 0
    size = found.st_size if stat.S_ISREG(found.st_mode) else 0
    parts = [os.fsencode(name), os.fsencode(link), b"%o %d %d %d %d" % (found.st_mode, found.st_uid, found.st_gid, device, size)]
    for key in sorted(os.listxattr(path, follow_symlinks=False)):
        if not key.startswith(("security.selinux", "trusted.overlay.", "user.overlay.")):
            parts += [os.fsencode(key), os.getxattr(path, key, follow_symlinks=False)]
    hashed.update(b"%d " % len(parts) + b"".join(b"%d:%s" % (len(part), part) for part in parts))
    if size:
        _content(hashed, path)


def _content(hashed: HASH, path: str) -> None:
    fd = os.open(path, _READ)
    try:
        while piece := os.read(fd, _PIECE):
            hashed.update(piece)
    finally:
        os.close(fd)
