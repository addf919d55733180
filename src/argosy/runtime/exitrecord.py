"""Files of a container's runtime state: how it ended, and what its shim was.

``exit.json`` is written by rename before anybody is told, so that it is whole or absent. All lie on the exec root (tmpfs):
they are true until the next boot, and need no fsync.
"""

import os

from argosy.runtime import plainjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

EXIT = "exit.json"
SHIM = "shim.json"
START = "start.json"
LOCK = "lock"
SOCKET = "shim.sock"


def write_json(directory: str, name: str, value: "Mapping[str, Any]") -> None:
    """Replace the file atomically."""
    temporary = os.path.join(directory, f".{name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(plainjson.dumps(value).encode())
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)
    os.rename(temporary, os.path.join(directory, name))


def read_json(directory: str, name: str) -> "dict[str, Any] | None":
    """Return the file's object, None when it is absent or not whole."""
    try:
        fd = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with open(fd, "rb") as file:
            value = plainjson.loads(file.read())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def discard(directory: str, name: str) -> None:
    try:
        os.unlink(os.path.join(directory, name))
    except FileNotFoundError:
        pass


def start_time(pid: int) -> int:
    """Return field 22 of /proc/PID/stat (proc(5)), in clock ticks since boot; 0 when the process is gone."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        stat = os.read(fd, 4096)
    except OSError:
        return 0
    finally:
        os.close(fd)
    # The name in parentheses may hold anything, parentheses too.
    return int(stat[stat.rindex(b")") + 2 :].split()[19])


def boot_id() -> str:
    """Return the kernel's identifier of this boot (random(4))."""
    fd = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 64).decode().strip()
    finally:
        os.close(fd)


def exit_code(status: int) -> int:
    """Return Docker's exit code of a wait status: the program's own, or 128 + the signal."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)
