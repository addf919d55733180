"""Overlays that show the ids of a user namespace: on the disk all layers, the upper one too, have the container's.

An overlay cannot be mapped itself, its layers can (mount_setattr(2), MOUNT_ATTR_IDMAP; overlayfs since 5.19). overlayfs takes
layers by path from the caller's mount namespace only (before 6.15), so a helper process with a mount namespace of its own
attaches them for the moment.
"""

import os

from argosy.linux import mount, process
from argosy.linux.openat2 import BENEATH, NO_MAGICLINKS, openat2
from argosy.linux.overlay import open_overlay
from argosy.linux.syscall import AT_FDCWD
from argosy.linux.userns import act_as, outside
from argosy.runtime.init import gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn


_SCRATCH = b"/sys"
_TARGET = _SCRATCH + b"/m"
_EMPTY = _SCRATCH + b"/e"


def overlay_in_helper(root: "Mapping[str, Any]", userns: int = -1) -> int:
    """Return a detached overlay made by a helper process in a mount namespace of its own. Raises OSError.

    Its layers are mapped by ``userns`` if one is given, the namespace of the root's ``uid_map`` and ``gid_map``. Also for kernels
    without ``lowerdir+``, where the overlay must be attached for a moment: nobody else sees that.
    """
    return _from_helper(lambda: _overlay(root, userns))


def part_in_helper(tree: int, subpath: bytes) -> int:
    """Return a mount of what lies at ``subpath`` of a detached mount. Raises OSError, EXDEV when a link leads out of it.

    Below its root a detached mount can be copied only where it is attached (open_tree(2), before 6.15).
    """
    return _from_helper(lambda: _part(tree, subpath))


def _from_helper(make: "Callable[[], int]") -> int:
    """Return the fd that ``make`` returns in a process with a mount namespace of its own. Raises OSError."""
    ours, theirs = gate.pair()
    pid, pidfd = process.clone3(process.NEWNS)
    if pid == 0:
        _answer(gate.Gate(theirs), make)
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


def _answer(channel: gate.Gate, make: "Callable[[], int]") -> "NoReturn":
    try:
        mount.set_propagation(b"/", mount.MS_REC | mount.MS_PRIVATE)
        # A tmpfs over a directory that holds no data of anybody, in this namespace alone; it ends with this process.
        mount.attach(mount.new_filesystem(b"tmpfs", ((b"mode", b"711"),), 0, b"layers"), AT_FDCWD, _SCRATCH)
        os.mkdir(_TARGET)
        channel.prepared(make())
    except OSError as error:
        channel.fail(error.errno or 0, "layers", str(error))
    except BaseException as error:
        channel.fail(0, "layers", str(error))
    finally:
        os._exit(0)


def _overlay(root: "Mapping[str, Any]", userns: int) -> int:
    layers = [os.fsencode(path) for path in root["lower"]]
    upper, work = os.fsencode(root["upper"]), os.fsencode(root["work"])
    if userns >= 0:
        layers = [_attached(path, b"%d" % index, userns) for index, path in enumerate(layers)]
        if upper:
            upper, work = _writable(upper, work, userns)
            # What overlayfs makes for itself, its work directory and whiteouts, belongs to whoever mounts it: an id of the mapping.
            act_as(outside(root["uid_map"], 0), outside(root["gid_map"], 0))
    if needs_a_layer(root):
        os.mkdir(_EMPTY)
        layers.append(_EMPTY)
    return open_overlay(tuple(layers), upper, work, lowerdir_plus=root["lowerdir_plus"], scratch=_TARGET, options=label_options(root))


def needs_a_layer(root: "Mapping[str, Any]") -> bool:
    """Return whether it is one layer to be read under a label: a copy of its mount has the files' own labels, an overlay needs two."""
    return bool(root["label"]) and not root["upper"] and len(root["lower"]) == 1


def label_options(root: "Mapping[str, Any]") -> "tuple[tuple[bytes, bytes | None], ...]":
    """Return the option that gives all files SELinux's label of a plan's tree (mount(8), context=)."""
    return ((b"context", os.fsencode(root["label"])),) if root["label"] else ()


def _part(tree: int, subpath: bytes) -> int:
    mount.attach(tree, AT_FDCWD, _TARGET)
    inside = openat2(tree, subpath, os.O_PATH, resolve=BENEATH | NO_MAGICLINKS)
    return mount.clone_tree(inside, recursive=True)


def _attached(path: bytes, name: bytes, userns: int) -> bytes:
    """Return where ``path`` is attached in the scratch directory, mapped if there is a namespace.

    Short names: one page of options holds many layers only if their paths are short, from a common directory.
    """
    fd = mount.clone_tree(AT_FDCWD, path)
    if userns >= 0:
        mount.set_attributes(fd, userns=userns)
    place = _SCRATCH + b"/" + name
    os.mkdir(place)
    mount.attach(fd, AT_FDCWD, place)
    os.close(fd)
    return place


def _writable(upper: bytes, work: bytes, userns: int) -> "tuple[bytes, bytes]":
    """overlayfs wants both on one mount: that of their common directory."""
    if os.path.dirname(upper) != os.path.dirname(work):
        raise OSError(22, "upper and work must lie in one directory", upper)
    parent = _attached(os.path.dirname(upper), b"s", userns)
    return parent + b"/" + os.path.basename(upper), parent + b"/" + os.path.basename(work)
