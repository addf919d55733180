"""What is kept of a container between commands: ``ROOT/ID/state.json``, and how it is known what became of it."""

import os

from argosy.runtime.cgroups import Group, open_group
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.plainjson import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")
GATE = "start.sock"


class Container:
    """One container's directory and record."""

    def __init__(self, root: str, identifier: str, record: "dict[str, Any]") -> None:
        self.directory = os.path.join(root, identifier)
        self.id = identifier
        self.record = record

    @property
    def pid(self) -> int:
        return int(self.record.get("pid", 0))

    @property
    def plan(self) -> "dict[str, Any]":
        plan: dict[str, Any] = self.record["plan"]
        return plan

    def group(self) -> Group:
        return open_group(self.plan["cgroup"])

    def alive(self) -> bool:
        """Return whether the init that was started is still there; a zombie is not."""
        found = process_start(self.pid)
        return found is not None and found == self.record.get("pid_start")

    def status(self) -> str:
        """Return OCI's word: created, running, paused, stopped."""
        if not self.alive():
            return "stopped"
        if os.path.lexists(os.path.join(self.directory, GATE)):
            return "created"
        return "paused" if self.group().frozen() else "running"

    def save(self) -> None:
        """Write the record whole or not at all."""
        path = os.path.join(self.directory, "state.json")
        with open(path + ".new", "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(dumps(self.record))
        os.rename(path + ".new", path)

    def remove(self) -> None:
        """Remove the directory; it holds nothing but files of ours."""
        try:
            for name in os.listdir(self.directory):
                os.unlink(os.path.join(self.directory, name))
            os.rmdir(self.directory)
        except FileNotFoundError:
            pass

    def oci_state(self) -> "dict[str, Any]":
        """Return the state as runtime.md defines it."""
        status = self.status()
        return {
            "ociVersion": self.record["oci_version"],
            "id": self.id,
            "pid": self.pid if status != "stopped" else 0,
            "status": status,
            "bundle": self.record["bundle"],
            "rootfs": self.record["rootfs"],
            "created": self.record["created"],
            "annotations": self.record.get("annotations") or {},
            "owner": "",
        }


def check_id(identifier: str) -> None:
    """Raises RuntimeFailed on an id that is no plain file name."""
    if not identifier or not set(identifier) <= _ALLOWED or identifier in (".", ".."):
        raise RuntimeFailed("invalid container ID format")


def reserve(root: str, identifier: str) -> str:
    """Make the container's directory and return it. Raises RuntimeFailed when the id is taken."""
    check_id(identifier)
    os.makedirs(root, mode=0o700, exist_ok=True)
    path = os.path.join(root, identifier)
    try:
        os.mkdir(path, 0o711)
    except FileExistsError:
        raise RuntimeFailed("container with given ID already exists") from None
    return path


def load(root: str, identifier: str) -> Container:
    """Return the container. Raises RuntimeFailed when there is none."""
    check_id(identifier)
    try:
        with open(os.path.join(root, identifier, "state.json")) as file:
            return Container(root, identifier, loads(file.read()))
    except (FileNotFoundError, NotADirectoryError):
        raise RuntimeFailed("container does not exist") from None
    except ValueError as error:
        raise RuntimeFailed(f"the record of container {identifier} cannot be read: {error}") from None


def load_all(root: str) -> list[Container]:
    try:
        names = sorted(os.listdir(root))
    except FileNotFoundError:
        return []
    containers = []
    for name in names:
        try:
            containers.append(load(root, name))
        except RuntimeFailed:
            continue
    return containers


def process_start(pid: int) -> "int | None":
    """Return field 22 of /proc/PID/stat; None for no process or a zombie."""
    if pid <= 0:
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
