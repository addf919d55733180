"""What each running container's network became, kept under the exec root for the next daemon.

Only the kernel's life matters here: the files lie on /run, are not synced, and are gone after a reboot as the networks are.
"""

import os
from collections.abc import Collection

import msgspec

from argosy.network.model import Endpoint, Sandbox


class _Kept(msgspec.Struct):
    endpoints: dict[str, Endpoint]
    ports: dict[str, tuple[tuple[str, str], ...]]


class Sandboxes:
    def __init__(self, exec_root: str) -> None:
        self._directory = os.path.join(exec_root, "sandboxes")
        os.makedirs(self._directory, mode=0o700, exist_ok=True)

    def save(self, container_id: str, sandbox: Sandbox) -> None:
        path = self._path(container_id)
        raw = msgspec.json.encode(_Kept(dict(sandbox.endpoints), {port: tuple(to) for port, to in sandbox.ports.items()}))
        handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, raw)
        finally:
            os.close(handle)
        os.rename(path + ".new", path)

    def load(self, container_id: str) -> Sandbox:
        """Return what was saved; nothing at all when there is no record."""
        try:
            with open(self._path(container_id), "rb") as handle:
                kept = msgspec.json.decode(handle.read(), type=_Kept)
        except FileNotFoundError:
            return Sandbox(endpoints={}, ports={})
        return Sandbox(endpoints=kept.endpoints, ports=kept.ports)

    def forget(self, container_id: str) -> None:
        try:
            os.unlink(self._path(container_id))
        except FileNotFoundError:
            pass

    def keep_only(self, running: Collection[str]) -> None:
        """Forget all others: a start that was cut off leaves its record."""
        for name in os.listdir(self._directory):
            if name.removesuffix(".json") not in running:
                os.unlink(os.path.join(self._directory, name))

    def _path(self, container_id: str) -> str:
        return os.path.join(self._directory, container_id + ".json")
