"""User namespaces that only hold a mapping, and acting as one of their users (user_namespaces(7)).

Mappings are lists of (inside, outside, size), as in /proc/PID/uid_map.
"""

import os

from argosy.linux import process
from argosy.linux.syscall import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Mapping = Sequence[Sequence[int]]

_PR_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
_EOVERFLOW = 75


def write_maps(pid: int, uids: "Mapping", gids: "Mapping") -> None:
    """Give a process's new user namespace its maps. Raises OSError."""
    for name, mapping in (("uid_map", uids), ("gid_map", gids)):
        text = "\n".join(f"{inside} {outside} {size}" for inside, outside, size in mapping)
        fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode("ascii"))
        finally:
            os.close(fd)


def user_namespace(uids: "Mapping", gids: "Mapping") -> int:
    """Return the fd of a user namespace with these maps and no process in it."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    pid, pidfd = process.clone3(process.NEWUSER)
    if pid == 0:
        try:
            os.close(theirs)
            os.read(ours, 1)  # the end of the pipe: the parent is done, or dead
        finally:
            os._exit(0)
    try:
        write_maps(pid, uids, gids)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ours)
        os.close(theirs)
        os.waitpid(pid, 0)
        os.close(pidfd)


def outside(mapping: "Mapping", number: int) -> int:
    """Return the id outside of the namespace for one inside. Raises OSError (EOVERFLOW) when it has none."""
    for inside, start, size in mapping:
        if inside <= number < inside + size:
            return start + number - inside
    fail(_EOVERFLOW, "map", str(number).encode())
    raise AssertionError


def act_as(uid: int, gid: int) -> None:
    """Make and own files by these ids from now on, with every capability kept (capabilities(7), SECBIT_NO_SETUID_FIXUP).

    Through an id-mapped mount nothing can be made by an id that the mapping does not have, not even by root (EOVERFLOW).
    """
    process.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, name="PR_SET_SECUREBITS")
    os.setegid(gid)
    os.seteuid(uid)
