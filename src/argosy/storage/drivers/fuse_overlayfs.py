"""fuse-overlayfs: overlay2's trees, mounted by a program instead of the kernel, where overlayfs does not work."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.model import Overlay, RootMount


class FuseOverlayfs(Overlay2):
    """``program`` is the path of fuse-overlayfs. Who mounts starts it (`linux.fuse_overlay`): a container's shim, a worker."""

    name = "fuse-overlayfs"

    def __init__(self, home: Path, *, program: str, reason: str = "", backing: str = "") -> None:
        super().__init__(home, reason=reason, backing=backing)
        self._program = program

    def status(self) -> Sequence[tuple[str, str]]:
        return (("Backing Filesystem", self._backing or "<unknown>"), ("Program", self._program))

    def writable(self, tree: Path, below: Sequence[Path]) -> RootMount:
        return self._served(super().writable(tree, below))

    def view(self, trees: Sequence[Path]) -> RootMount:
        return self._served(super().view(trees))

    def _served(self, root: RootMount) -> RootMount:
        return replace(root, program=self._program) if isinstance(root, Overlay) else root
