"""Namespaces that a child is born into: the parent joins them for the moment of the clone and comes back.

Joining before the clone means one fork whatever is joined: a pid namespace takes effect only for children (pid_namespaces(7)),
and for the others the child inherits what its parent is in. Only for single-threaded callers.
"""

import os

from argosy.linux import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Joined:
    """Context manager: inside it this process is in the namespaces of ``paths`` (type → nsfs path)."""

    def __init__(self, paths: "Mapping[str, str]") -> None:
        self._paths = {kind: path for kind, path in paths.items() if kind != "user"}
        self._back: list[tuple[int, int]] = []

    def __enter__(self) -> None:
        opened: list[tuple[int, int]] = []
        try:
            for kind, path in self._paths.items():
                opened.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC), process.NAMESPACES[kind]))
            for (fd, flag), kind in zip(opened, self._paths):
                own = os.open(f"/proc/self/ns/{process.PROC_NAMES[kind]}", os.O_RDONLY | os.O_CLOEXEC)
                self._back.append((own, flag))
                process.setns(fd, flag)
        except BaseException:
            self.__exit__()
            raise
        finally:
            for fd, _ in opened:
                os.close(fd)

    def __exit__(self, *exc: object) -> None:
        while self._back:
            fd, flag = self._back.pop()
            try:
                process.setns(fd, flag)
            finally:
                os.close(fd)
