"""`storage.ports.Workers` on a launcher of its own, which has the jobs loaded and leaves when nothing is to do."""

import asyncio
import functools
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from argosy.base import errors
from argosy.base.errors import ArgosyError, SystemFailureError
from argosy.linux.kernel import has_lowerdir_plus
from argosy.runtime.client.connection import Connection, Message
from argosy.runtime.client.launcher import Launcher
from argosy.runtime.compile import plan_tree
from argosy.runtime.exitrecord import start_time
from argosy.runtime.worker import JOBS
from argosy.storage.model import Mapped, RootMount

_IDLE = 60.0
_KINDS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ArgosyError)}


class LauncherWorkers:
    def __init__(self, *, exec_root: str, daemon_id: str) -> None:
        os.makedirs(exec_root, exist_ok=True)
        # Where the daemon has its libraries from: the jobs may use those that are compiled (isal, zstandard).
        paths = [path for path in sys.path if path and os.path.isdir(path)]
        log_path = os.path.join(exec_root, "workers.log")
        self.launcher = Launcher(daemon_id=daemon_id, log_path=log_path, paths=paths, preload=JOBS)
        self._busy = 0
        self._idle: asyncio.TimerHandle | None = None

    async def run(
        self,
        job: str,
        params: Mapping[str, Any],
        *,
        fds: Sequence[int] = (),
        root: RootMount | Mapped | int | None = None,
        views: Sequence[RootMount | Mapped] = (),
    ) -> Any:
        self._begin()
        try:
            link = await self.launcher.request("worker", _request(job, params, root, views), fds)
            answer = await _answer(link)
        finally:
            self._end()
        if "error" in answer:
            raise _error(answer)
        if "result" not in answer:
            raise SystemFailureError(f"{job}: the worker was killed")
        return answer["result"]

    async def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        await self.launcher.close()

    def _begin(self) -> None:
        self._busy += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _end(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._idle = asyncio.get_running_loop().call_later(_IDLE, self.launcher.dismiss)


async def _answer(link: socket.socket) -> Message:
    """Return the worker's one message, ``{}`` if it was killed. Cancelled: the connection closes, and that kills the worker."""
    answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def on_event(message: Message) -> None:
        if not answer.done():
            answer.set_result(message)

    connection = Connection(link, on_event=on_event, on_close=lambda: on_event({}))
    try:
        return await answer
    finally:
        connection.close()


def _request(
    job: str, params: Mapping[str, Any], root: RootMount | Mapped | int | None, views: Sequence[RootMount | Mapped]
) -> dict[str, Any]:
    ids = {"ids": [root.uids, root.gids]} if isinstance(root, Mapped) else {}
    return {"job": job, "params": {**params, **ids}, "root": _root(root), "views": [_root(view) for view in views]}


def _root(root: RootMount | Mapped | int | None) -> dict[str, Any] | None:
    if root is None:
        return None
    tree, uids, gids = (root.tree, root.uids, root.gids) if isinstance(root, Mapped) else (root, (), ())
    if isinstance(tree, int):
        return {"kind": "pid", "pid": tree, "start": start_time(tree), "uid_map": uids, "gid_map": gids}
    subpath = root.subpath if isinstance(root, Mapped) else ""
    return {**plan_tree(tree, lowerdir_plus=_lowerdir_plus(), uids=uids, gids=gids), "subpath": subpath}


@functools.cache
def _lowerdir_plus() -> bool:
    """The kernel stays the same."""
    return has_lowerdir_plus()


def _error(answer: Message) -> Exception:
    kind = _KINDS.get(answer["error"])
    if kind is not None:
        return kind(answer["message"])
    return SystemFailureError(answer["message"])
