"""Where a container's own files lie under the data root."""

import os
import shutil


class ContainerPaths:
    """Files of one container: ``<data root>/containers/<id>/…``."""

    __slots__ = ("cached_log", "directory", "hostname", "hosts", "log", "resolv_conf")

    def __init__(self, data_root: str, container_id: str) -> None:
        self.directory = os.path.join(data_root, "containers", container_id)
        self.hostname = os.path.join(self.directory, "hostname")
        self.hosts = os.path.join(self.directory, "hosts")
        self.resolv_conf = os.path.join(self.directory, "resolv.conf")
        self.cached_log = os.path.join(self.directory, "container-cached.log")
        self.log = os.path.join(self.directory, f"{container_id}-json.log")

    def make(self) -> None:
        """Create the directory, closed to everybody but root."""
        os.makedirs(self.directory, mode=0o710, exist_ok=True)

    def remove(self) -> None:
        """Delete it with all it holds; absent is fine."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def write_etc(self, *, hostname: str, hosts: bytes, resolv_conf: bytes) -> None:
        """Write the files that are mounted over /etc in place: a running container has the inodes mounted."""
        for path, content in ((self.hostname, hostname.encode() + b"\n"), (self.hosts, hosts), (self.resolv_conf, resolv_conf)):
            _overwrite(path, content)

    def overwrite_hosts(self, hosts: bytes) -> None:
        _overwrite(self.hosts, hosts)


def _overwrite(path: str, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)


def present(data_root: str) -> list[str]:
    """Return the ids of the container directories that exist."""
    try:
        return os.listdir(os.path.join(data_root, "containers"))
    except FileNotFoundError:
        return []
