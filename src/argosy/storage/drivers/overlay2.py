"""Native overlayfs: a tree holds what its layer changed; a container is an upper directory over the layers' trees."""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from argosy.storage import tree_quota
from argosy.storage.model import Overlay, RootMount


class Overlay2:
    """``home`` is ``<data root>/overlay2``. Layers are mounted by short names in ``home/l``, because the options of mount(2)
    share one page and a value of fsconfig(2) ends at 255 bytes."""

    name = "overlay2"
    overlay = True

    def __init__(self, home: Path, *, reason: str = "", backing: str = "") -> None:
        self.reason = reason
        self._home = home
        self._backing = backing
        self._links = home / "l"
        # Of ext4 the limit would hold for nobody: overlayfs writes with the rights of who mounted it, CAP_SYS_RESOURCE among them.
        self.sized = backing == "xfs" and tree_quota.supported(home.parent)

    def status(self) -> Sequence[tuple[str, str]]:
        return (
            ("Backing Filesystem", self._backing or "<unknown>"),
            ("Supports d_type", "true"),
            ("Using metacopy", "false"),
            ("Native Overlay Diff", "true"),
            ("userxattr", "false"),
        )

    async def seed(self, tree: Path, below: Sequence[Path]) -> None:
        (tree / "diff").mkdir(mode=0o755)
        (tree / "work").mkdir(mode=0o700)

    def limit(self, name: str, tree: Path, size: int) -> None:
        tree_quota.limit(name, [tree / "diff", tree / "work"], size)

    def release(self, tree: Path) -> None:
        if self.sized:
            tree_quota.release(tree / "diff")

    def writable(self, tree: Path, below: Sequence[Path]) -> RootMount:
        # overlayfs wants at least one lower directory; an image without layers has the mount points' tree.
        return Overlay(tuple(self._short(one) for one in below), str(tree / "diff"), str(tree / "work"))

    def view(self, trees: Sequence[Path]) -> RootMount:
        return Overlay(tuple(self._short(one) for one in trees))

    def graph_data(self, tree: Path, below: Sequence[Path]) -> Mapping[str, str]:
        data = {"MergedDir": str(tree / "merged"), "UpperDir": str(tree / "diff"), "WorkDir": str(tree / "work")}
        if below:
            data["LowerDir"] = ":".join(str(one / "diff") for one in below)
        return data

    def expose(self, tree: Path) -> None:
        self._links.mkdir(exist_ok=True)
        link = self._links / _link_name(tree)
        if not link.is_symlink():
            # The name is a digest of the tree's: whoever made it before made the same.
            link.symlink_to(os.path.relpath(tree / "diff", self._links))

    def withdraw(self, tree: Path) -> None:
        (self._links / _link_name(tree)).unlink(missing_ok=True)

    def _short(self, tree: Path) -> str:
        return str(self._links / _link_name(tree)) if tree.parent.name == "layers" else str(tree / "diff")


def _link_name(tree: Path) -> str:
    return base64.b32encode(hashlib.sha256(tree.name.encode()).digest()[:15]).decode()
