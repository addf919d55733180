"""The daemon's own directories: one daemon a data root, an id for each, and never a root that Docker made."""

import fcntl
import os
from pathlib import Path

from argosy.base import ids
from argosy.base.errors import ConflictError
from argosy.storage.drivers.select import refuse_foreign

_OURS = "argosy-id"


class DataRoot:
    """An opened and locked data root. The lock ends with the process (flock(2))."""

    def __init__(self, path: str) -> None:
        self.path = path
        if not os.path.exists(os.path.join(path, _OURS)):
            refuse_foreign(Path(path))
        os.makedirs(path, mode=0o710, exist_ok=True)
        self._handle = os.open(os.path.join(path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise ConflictError(
                f"data root {path} is in use by another argosyd: stop it first, or give this one a --data-root of its own"
            ) from error
        self.daemon_id = _identity(os.path.join(path, _OURS))
        _no_guests(path)

    def close(self) -> None:
        os.close(self._handle)


def _identity(path: str) -> str:
    """Return the daemon's id, made at the first start; links, tables and cgroups carry it."""
    try:
        with open(path, encoding="ascii") as handle:
            found = handle.read().strip()
        if ids.is_id(found):
            return found
    except FileNotFoundError:
        pass
    made = ids.new_id()
    with open(path + ".new", "w", encoding="ascii") as handle:
        handle.write(made + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    os.rename(path + ".new", path)
    return made


def _no_guests(path: str) -> None:
    """Only root may look inside: an image's setuid programs lie there (moby CVE-2021-41091)."""
    os.chmod(path, 0o710)
