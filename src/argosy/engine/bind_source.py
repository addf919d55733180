"""What becomes of a bind's source that is not there (`-v`; ``--mount`` always refuses).

Docker makes an empty directory of root, which hides typing errors and cannot be written to by a container's own user; that is the default
here, with a warning. ``--bind-create`` of the daemon chooses: ``root``, ``user`` (it belongs to the container's user), ``error``.
"""

import os

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import MountPoint

WAYS = ("root", "user", "error")


def made(point: MountPoint, way: str, user: str) -> str:
    """Make the source of a bind where it is missing and may be made; return the warning about it, empty where nothing was made.

    ``user``: of the container's configuration; a name is only known inside, so then it stays root's.
    Raises InvalidParameterError in Docker's words.
    """
    if os.path.lexists(point.source):
        return ""
    if way == "error" or "must-exist" in point.options or point.source.startswith("/dev/"):
        raise InvalidParameterError(f'invalid mount config for type "bind": bind source path does not exist: {point.source}')
    os.makedirs(point.source, mode=0o755, exist_ok=True)
    owner = numeric(user) if way == "user" else None
    if owner is not None:
        os.chown(point.source, *owner)
    whose = "root" if owner is None else f"user {owner[0]}"
    return f"the bind mount's source {point.source} did not exist and has been created as an empty directory of {whose}"


def numeric(user: str) -> tuple[int, int] | None:
    """Return (uid, gid) of ``uid[:gid]``, the group being the user's number where none is given; None for names and for nothing."""
    uid, _, gid = user.partition(":")
    gid = gid or uid
    return (int(uid), int(gid)) if uid.isdecimal() and gid.isdecimal() else None
