"""Files to copy from: a directory of the host (a context), or the files of a stage or an image; and jobs on them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argosy.build.context import Matched
from argosy.storage.model import Directory, RootMount


@dataclass(frozen=True, slots=True)
class Tree:
    path: str = ""
    """A directory of the host; empty when it is a view."""
    view: RootMount | None = None
    """None without a path: no files at all."""
    owners: bool = False
    """The files' owners are meant (a stage's, an image's), not just those of the machine that sent them."""
    context: bool = False
    """It is the build context, which ``.dockerignore`` has thinned out."""

    known: Mapping[str, Matched] = field(default_factory=dict)
    """What is known of some of its paths already."""

    def root(self) -> RootMount | None:
        """Return it for a job that is confined to it."""
        return Directory(self.path) if self.path else self.view


@dataclass(frozen=True, slots=True)
class Handed:
    """What a job gets: fds first, then views; ``indexes`` say where each tree is among them."""

    fds: list[int]
    views: list[RootMount]
    indexes: list[int]

    def options(self) -> dict[str, Any]:
        return {"fds": self.fds, "views": self.views}


@contextmanager
def handed(trees: Sequence[Tree]) -> Iterator[Handed]:
    """Yield what `storage.ports.Workers.run` needs for the trees; opened now, closed at the end."""
    fds: list[int] = []
    views: list[RootMount] = []
    try:
        for tree in trees:
            if tree.path:
                fds.append(os.open(tree.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            elif tree.view is not None:
                views.append(tree.view)
        fd = view = 0
        indexes = []
        for tree in trees:
            if tree.path:
                indexes.append(fd)
                fd += 1
            else:
                indexes.append(len(fds) + view)
                view += tree.view is not None
        yield Handed(fds, views, indexes)
    finally:
        for one in fds:
            os.close(one)
