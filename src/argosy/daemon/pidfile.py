"""The PID file: refused when its process still is an argosyd, else taken over."""

import os

from argosy.base.errors import ConflictError


def write(path: str) -> None:
    """Write our pid. Raises ConflictError when a daemon lives under the pid found there."""
    try:
        with open(path, encoding="ascii") as handle:
            pid = int(handle.read().strip() or 0)
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and pid != os.getpid() and _is_argosyd(pid):
        raise ConflictError(f"process with PID {pid} is still running: ensure argosyd is not running or delete {path}")
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "w", encoding="ascii") as handle:
        handle.write(f"{os.getpid()}\n")
    os.rename(path + ".new", path)


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _is_argosyd(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return b"argosy" in handle.read()
    except OSError:
        return False
