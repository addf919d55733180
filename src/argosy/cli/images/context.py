"""What ``build`` sends: a directory as a tar stream without what .dockerignore names, a tar as it is, or a URL's name."""

from __future__ import annotations

import os
import sys
from itertools import chain

from argosy.base.errors import ArgosyError
from argosy.base.patterns import PatternError, Patterns
from argosy.cli.archive.pack import Entry, pack, walk
from argosy.cli.images.named import Named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 18


class ContextError(ArgosyError):
    """A build context that cannot be sent."""


class Source:
    """``pieces`` None means that the daemon fetches ``remote`` itself."""

    __slots__ = ("dockerfile", "pieces", "remote")

    def __init__(self, pieces: Iterator[bytes] | None, dockerfile: str, remote: str = "") -> None:
        self.pieces = pieces
        self.dockerfile = dockerfile
        self.remote = remote


def packed(where: str, dockerfile: str, named: Named) -> Source:
    """Return the context with what is sent beside it; raises ContextError in docker's words."""
    if where == "-":
        return _from_stdin(dockerfile, named)
    if where.startswith(("http://", "https://", "git://", "git@", "github.com/")):
        return Source(pack(named.entries(), anonymous=True) if named.directories else None, dockerfile or "Dockerfile", where)
    if not os.path.isdir(where):
        raise ContextError(f'path "{where}" not found' if not os.path.exists(where) else f"context must be a directory: {where}")
    return _directory(where, _dockerfile(where, dockerfile), named)


class _Dockerfile:
    """``name`` in the context; ``content`` where it lies outside of it; ``ignore``: the file of patterns that goes with it."""

    __slots__ = ("content", "ignore", "name")

    def __init__(self, name: str, content: bytes | None, ignore: str) -> None:
        self.name = name
        self.content = content
        self.ignore = ignore


def _dockerfile(directory: str, said: str) -> _Dockerfile:
    general = os.path.join(directory, ".dockerignore")
    if said == "-":
        return _Dockerfile(_hidden_name(), sys.stdin.buffer.read(), general)
    path = said or os.path.join(directory, "Dockerfile")
    if not said and not os.path.lexists(path) and os.path.lexists(os.path.join(directory, "dockerfile")):
        path = os.path.join(directory, "dockerfile")
    if said and not os.path.isabs(said) and not os.path.exists(said):
        path = os.path.join(directory, said)
    if not os.path.exists(path):
        raise ContextError(f"failed to read dockerfile: open {path}: no such file or directory")
    ignore = path + ".dockerignore" if os.path.isfile(path + ".dockerignore") else general
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(directory))
    if inside.startswith(".."):
        with open(path, "rb") as file:
            return _Dockerfile(_hidden_name(), file.read(), ignore)
    return _Dockerfile(inside, None, ignore)


def _hidden_name() -> str:
    """No file of the context has this name."""
    return f".dockerfile.{os.urandom(10).hex()}"


def _directory(directory: str, dockerfile: _Dockerfile, named: Named) -> Source:
    """Pack all that .dockerignore lets through; the Dockerfile and its patterns themselves always go, the daemon needs them."""
    try:
        patterns = Patterns.read(dockerfile.ignore)
    except PatternError as error:
        raise ContextError(f"error checking context: {dockerfile.ignore}: {error}") from None
    entries = chain(_chosen(directory, dockerfile, patterns), named.entries())
    return Source(pack(entries, anonymous=True), dockerfile.name)


def _chosen(directory: str, dockerfile: _Dockerfile, patterns: Patterns) -> Iterator[Entry]:
    keep = {dockerfile.name, dockerfile.name + ".dockerignore", ".dockerignore"}
    if dockerfile.content is not None:
        # As docker does: the daemon drops what .dockerignore names, so the build does not see what was put in here.
        yield Entry(dockerfile.name, content=dockerfile.content)
        yield Entry(".dockerignore", content=_hiding(directory, dockerfile))

    def pruned(name: str) -> bool:
        return patterns.excludes(name) and not patterns.may_readmit(name) and not _leads_to(name, keep)

    for entry in walk(directory, prune=pruned):
        if dockerfile.content is not None and entry.name == ".dockerignore":
            continue
        if entry.name in keep or not patterns.excludes(entry.name):
            yield entry


def _hiding(directory: str, dockerfile: _Dockerfile) -> bytes:
    names = [dockerfile.name]
    if not os.path.exists(os.path.join(directory, ".dockerignore")):
        names.append(".dockerignore")
    return _read(dockerfile.ignore) + "".join(f"\n{name}" for name in names).encode() + b"\n"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _leads_to(name: str, keep: set[str]) -> bool:
    return any(one.startswith(name + "/") for one in keep)


def _from_stdin(dockerfile: str, named: Named) -> Source:
    """A tar (compressed or not) is the context; anything else is a Dockerfile without one."""
    stream = sys.stdin.buffer
    if stream.isatty():
        raise ContextError("reading the context from a terminal: pipe a tar archive or a Dockerfile in")
    first = _read_at_least(stream, 512)
    archive = first[257:262] == b"ustar" or first.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"))
    if not archive:
        alone = Entry("Dockerfile", content=first + stream.read())
        return Source(pack(chain((alone,), named.entries()), anonymous=True), "Dockerfile")
    if named.directories:
        raise ContextError("a tar on standard input takes no directories of --build-context beside it: unpack it, and name its directory")

    def whole() -> Iterator[bytes]:
        yield first
        while piece := stream.read(_PIECE):
            yield piece

    return Source(whole(), dockerfile or "Dockerfile")


def _read_at_least(stream: object, count: int) -> bytes:
    out = b""
    while len(out) < count:
        piece = stream.read(count - len(out))  # type: ignore[attr-defined]
        if not piece:
            break
        out += piece
    return out
