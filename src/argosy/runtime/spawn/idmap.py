"""Id-mapped mounts: files stored with the host's ids appear with the container's (mount_setattr(2), MOUNT_ATTR_IDMAP, 5.12).

An overlay cannot be mapped itself; its lower layers can (5.19). overlayfs takes layers by path from the caller's mount
namespace only (before 6.15), so a helper process with a mount namespace of its own attaches them for the moment.
"""

import os

from argosy.linux import mount, process
from argosy.linux.overlay import open_overlay
from argosy.linux.syscall import AT_FDCWD
from argosy.runtime.init import gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Mapping = list[list[int]]
    """(inside, outside, size)"""


_SCRATCH = b"/sys"


def write_maps(pid: int, uids: "Mapping", gids: "Mapping") -> None:
    """Give a process's new user namespace its maps (user_namespaces(7)). Raises OSError."""
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


def overlay_in_helper(root: "dict[str, Any]", userns: int = -1) -> int:
    """Return a detached overlay made by a helper process in a mount namespace of its own. Raises OSError.

    Its lower layers are mapped by ``userns`` if one is given. Also for kernels without ``lowerdir+``, where the overlay must
    be attached for a moment: nobody else sees that.
    """
    ours, theirs = gate.pair()
    pid, pidfd = process.clone3(process.NEWNS)
    if pid == 0:
        _make_in_helper(gate.Gate(theirs), root, userns)
    theirs.close()
    data, fd = gate.receive(ours)
    ours.close()
    os.waitpid(pid, 0)
    os.close(pidfd)
    if data[:1] == gate.ERROR:
        number, _, message = gate.parse_error(data)
        raise OSError(number, message)
    if fd < 0:
        raise OSError(5, "the helper that mounts the layers ended without an answer")
    return fd


def _make_in_helper(channel: gate.Gate, root: "dict[str, Any]", userns: int) -> None:
    try:
        mount.set_propagation(b"/", mount.MS_REC | mount.MS_PRIVATE)
        # A tmpfs over a directory that holds no data of anybody, in this namespace alone; it ends with this process.
        mount.attach(mount.new_filesystem(b"tmpfs", ((b"mode", b"700"),), 0, b"layers"), AT_FDCWD, _SCRATCH)
        layers = [os.fsencode(path) for path in root["lower"]]
        if userns >= 0:
            layers = [_mapped_layer(path, userns, index) for index, path in enumerate(layers)]
        channel.prepared(_overlay(root, layers))
    except OSError as error:
        channel.fail(error.errno or 0, "layers", str(error))
    except BaseException as error:
        channel.fail(0, "layers", str(error))
    finally:
        os._exit(0)


def _mapped_layer(path: bytes, userns: int, index: int) -> bytes:
    fd = mount.clone_tree(AT_FDCWD, path)
    mount.set_attributes(fd, userns=userns)
    layer = _SCRATCH + b"/%d" % index
    os.mkdir(layer)
    mount.attach(fd, AT_FDCWD, layer)
    os.close(fd)
    return layer


def _overlay(root: "dict[str, Any]", layers: list[bytes]) -> int:
    upper, work = os.fsencode(root["upper"]), os.fsencode(root["work"])
    if not root["lowerdir_plus"] and upper and layers[0].startswith(_SCRATCH):
        # One page of options holds many layers only if their paths are short, from a common directory.
        if os.path.dirname(upper) != os.path.dirname(work):
            raise OSError(22, "upper and work must lie in one directory", upper)
        parent = _SCRATCH + b"/s"
        os.mkdir(parent)
        mount.bind(os.path.dirname(upper), parent)
        upper, work = parent + b"/" + os.path.basename(upper), parent + b"/" + os.path.basename(work)
    target = _SCRATCH + b"/m"
    os.mkdir(target)
    return open_overlay(tuple(layers), upper, work, lowerdir_plus=root["lowerdir_plus"], scratch=target)


def own_upper(upper: str, uids: "Mapping", gids: "Mapping") -> None:
    """Give the root directory of a fresh upper layer to the container's root, if it is still the host's."""
    status = os.stat(upper)
    uid = next((outside for inside, outside, _ in uids if inside == 0), -1)
    gid = next((outside for inside, outside, _ in gids if inside == 0), -1)
    os.chown(upper, uid if status.st_uid == 0 else -1, gid if status.st_gid == 0 else -1)
