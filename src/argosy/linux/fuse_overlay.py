"""One overlay mount served by the program fuse-overlayfs, detached: it is attached nowhere unless the caller does it.

The program gets a /dev/fuse that is mounted already, as ``/dev/fd/N`` (libfuse's fuse_session_mount(), since 3.3). When the
last mount of it goes away, with a container's mount namespace or a closed fd, the kernel ends the connection and the program
leaves by itself: there is nothing to clean up, whoever dies.
"""

import os

from argosy.linux import mount

_HANDED = 3
_OPTIONS = b"writeback=0"
"""What a program wrote is in the upper directory at once, where commit and diff look."""
_FORBIDDEN = b":,\\"
"""The program takes its directories in one option, separated by these."""


def open_fuse_overlay(
    program: bytes, lower: "tuple[bytes, ...]", upper: bytes = b"", work: bytes = b"", label: bytes = b""
) -> tuple[int, int]:
    """Return (fd of the detached mount, pid of its server, which is the caller's child). Lowest layer last in ``lower``.

    ``label``: SELinux's of all files.

    The server stays in the caller's mount namespace, which therefore must not be the one that the mount is attached in and
    ends with. Raises OSError, with what the program said, when it does not serve.
    """
    for path in (*lower, upper, work):
        if any(byte in path for byte in _FORBIDDEN):
            raise OSError(22, "fuse-overlayfs takes no path with a colon, comma or backslash", path)
    said = os.memfd_create("fuse-overlayfs", os.MFD_CLOEXEC)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    try:
        tree = mount.new_filesystem(b"fuse", _mount_options(device, label), 0, b"fuse-overlayfs")
        try:
            pid = _serve(program, _directories(lower, upper, work), device, said)
        except BaseException:
            os.close(tree)
            raise
    finally:
        # The program alone has the connection now: when it fails, whoever looks at the mount is told so.
        os.close(device)
    try:
        os.stat(b".", dir_fd=tree)
    except OSError as error:
        os.close(tree)
        raise OSError(error.errno, _reason(said) or "fuse-overlayfs ended at once") from error
    finally:
        os.close(said)
    return tree, pid


def _mount_options(device: int, label: bytes) -> "tuple[tuple[bytes, bytes | None], ...]":
    numbers: list[tuple[bytes, bytes | None]] = [(b"fd", b"%d" % device), (b"rootmode", b"40000"), (b"user_id", b"0"), (b"group_id", b"0")]
    labels = [(b"context", label)] if label else []
    return (*numbers, (b"allow_other", None), (b"default_permissions", None), *labels)


def _directories(lower: "tuple[bytes, ...]", upper: bytes, work: bytes) -> bytes:
    options = b"lowerdir=" + b":".join(lower)
    if upper:
        options += b",upperdir=" + upper + b",workdir=" + work
    return options + b"," + _OPTIONS


def _serve(program: bytes, options: bytes, device: int, said: int) -> int:
    """By posix_spawn: nothing of this process runs in the child, which may be the daemon's, a shim's or a worker's."""
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)]
        # Last: the number may be one that is still needed above.
        actions.append((os.POSIX_SPAWN_DUP2, device, _HANDED))
        words = [b"fuse-overlayfs", b"-f", b"-o", options, b"/dev/fd/%d" % _HANDED]
        return os.posix_spawn(program, words, {"PATH": "/usr/bin:/bin"}, file_actions=actions, setsid=True, setsigmask=())
    finally:
        os.close(null)


def _reason(said: int) -> str:
    text = os.pread(said, 2000, 0).decode("utf-8", "replace")
    return "; ".join(line.strip() for line in text.splitlines() if "unknown argument" not in line)[:400]
