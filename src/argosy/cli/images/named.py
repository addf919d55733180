"""``--build-context NAME=SOURCE``: directories go along in the context's tar, OCI layouts are loaded, all else the daemon fetches."""

from __future__ import annotations

import os

from argosy.base.patterns import PatternError, Patterns
from argosy.cli.archive.pack import Entry, walk
from argosy.cli.errors import ExitError
from argosy.cli.images.layout import loaded
from argosy.cli.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ELSEWHERE = ("docker-image://", "http://", "https://", "git://", "ssh://", "git@", "github.com/")


class Named:
    """``sources``: what is asked of the daemon (its `build.context.named`); ``directories``: where in the tar each of ours goes."""

    def __init__(self, session: Session, texts: list[str]) -> None:
        """Raises ExitError for what is no source."""
        self.sources: dict[str, str] = {}
        self.directories: dict[str, str] = {}
        place = f".contexts.{os.urandom(10).hex()}"
        for text in texts:
            name, equals, source = text.partition("=")
            if not (name and equals and source):
                raise ExitError(
                    125, f"invalid --build-context {text}: use NAME=DIRECTORY, docker-image://NAME, oci-layout://DIRECTORY or a URL"
                )
            if source.startswith("oci-layout://"):
                directory = source.removeprefix("oci-layout://").partition("@")[0]
                source = "docker-image://" + loaded(session, directory, f"build context {name}")
            elif not source.startswith(_ELSEWHERE):
                if "://" in source:
                    raise ExitError(125, f"invalid --build-context {text}: {source.partition('://')[0]}:// is not supported")
                if not os.path.isdir(source):
                    raise ExitError(1, f"build context {name}: {source} is not a directory")
                inside = f"{place}/{len(self.directories)}"
                self.directories[inside] = source
                source = f"sent://{inside}"
            self.sources[name] = source

    def entries(self) -> Iterator[Entry]:
        """Yield what of the tar is theirs; a ``.dockerignore`` counts in each as in the context."""
        for inside, directory in self.directories.items():
            yield Entry(inside, directory)
            yield from _chosen(directory, inside)


def _chosen(directory: str, inside: str) -> Iterator[Entry]:
    try:
        patterns = Patterns.read(os.path.join(directory, ".dockerignore"))
    except PatternError as error:
        raise ExitError(1, f"error checking context: {directory}/.dockerignore: {error}") from None
    front = len(inside) + 1

    def pruned(name: str) -> bool:
        return patterns.excludes(name[front:]) and not patterns.may_readmit(name[front:])

    for entry in walk(directory, name=inside, prune=pruned):
        if not patterns.excludes(entry.name[front:]):
            yield entry
