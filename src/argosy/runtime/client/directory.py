"""State directories of containers under the exec root: ``containers/ID``."""

import os
import shutil
from collections.abc import Sequence

from argosy.base.ids import is_id


class Directories:
    def __init__(self, exec_root: str) -> None:
        self._root = os.path.join(os.path.abspath(exec_root), "containers")
        os.makedirs(self._root, mode=0o700, exist_ok=True)

    def path(self, container_id: str) -> str:
        return os.path.join(self._root, container_id)

    def make(self, container_id: str) -> str:
        path = self.path(container_id)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def remove(self, container_id: str) -> None:
        shutil.rmtree(self.path(container_id), ignore_errors=True)

    def ids(self) -> Sequence[str]:
        return sorted(name for name in os.listdir(self._root) if is_id(name))
