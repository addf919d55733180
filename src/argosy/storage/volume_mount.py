"""The mount behind a volume with driver options: ``type``, ``device``, ``o`` (moby ``volume/local/local_unix.go``)."""

import asyncio
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size
from argosy.linux import mount as mounts

_OPTIONS = ("type", "o", "device", "size")
_RESOLVE_TIMEOUT = 10
_SET = {
    "ro": mounts.MS_RDONLY,
    "nosuid": mounts.MS_NOSUID,
    "nodev": mounts.MS_NODEV,
    "noexec": mounts.MS_NOEXEC,
    "sync": 16,
    "remount": mounts.MS_REMOUNT,
    "mand": 64,
    "dirsync": 128,
    "noatime": 1024,
    "nodiratime": 2048,
    "bind": mounts.MS_BIND,
    "rbind": mounts.MS_BIND | mounts.MS_REC,
    "relatime": 1 << 21,
    "strictatime": 1 << 24,
}
_CLEAR = {"rw": mounts.MS_RDONLY, "suid": mounts.MS_NOSUID, "dev": mounts.MS_NODEV, "exec": mounts.MS_NOEXEC, "atime": 1024}
_PLAIN = frozenset({"defaults", "async"})
_PROPAGATION = {
    "private": mounts.MS_PRIVATE,
    "rprivate": mounts.MS_PRIVATE | mounts.MS_REC,
    "shared": mounts.MS_SHARED,
    "rshared": mounts.MS_SHARED | mounts.MS_REC,
    "slave": mounts.MS_SLAVE,
    "rslave": mounts.MS_SLAVE | mounts.MS_REC,
    "unbindable": mounts.MS_UNBINDABLE,
}


def check(options: Mapping[str, str], *, quotas: bool = False) -> None:
    """Raise InvalidParameterError in Docker's words on options that the local driver does not take.

    ``quotas``: a volume that is a plain directory can be limited where volumes lie.
    """
    for key in options:
        if key not in _OPTIONS:
            raise InvalidParameterError(f'invalid option: "{key}"')
    if size(options) and (is_mount(options) or not quotas):
        raise InvalidParameterError("quota size requested but no quota support")
    if not set(options) - {"size"}:
        return
    for key in ("device", "type"):
        # A bind has no type of file system.
        if not options.get(key) and not (key == "type" and _flags(options)[0] & mounts.MS_BIND):
            raise InvalidParameterError(f'missing required option: "{key}"')


def size(options: Mapping[str, str]) -> int:
    """Return how many bytes the volume may hold, 0: any number. Raises InvalidParameterError."""
    return parse_size(options["size"]) if "size" in options else 0


def is_mount(options: Mapping[str, str]) -> bool:
    return bool(options.get("device") or options.get("type"))


def in_memory(options: Mapping[str, str]) -> bool:
    """Return whether what is in it ends with the mount."""
    return options.get("type") in ("tmpfs", "ramfs")


class MountError(Exception):
    """The mount failed; the text is as Docker's local driver writes it."""


async def mount(options: Mapping[str, str], target: Path) -> None:
    """Mount what the options say on ``target``, its propagation private. Raises MountError."""
    flags, propagation, rest = _flags(options)
    device = options.get("device", "")
    kind = options.get("type", "none")
    if kind.startswith("nfs"):
        rest = await _with_address(rest)
    elif kind == "cifs":
        rest = await _with_host(device, rest)
    try:
        await asyncio.to_thread(_mount, device, target, kind, flags, propagation, rest)
    except OSError as error:
        asked = (f", flags: {flags:#x}" if flags else "") + (f", data: {_shown(rest)}" if rest else "")
        raise MountError(f"failed to mount local volume: mount {device}:{target}{asked}: {reason(error)}") from error


def unmount(target: Path) -> None:
    """Undo all mounts on ``target``; none is fine."""
    while mounted(target):
        mounts.unmount(os.fsencode(target), mounts.MNT_DETACH | mounts.UMOUNT_NOFOLLOW)


def mounted(target: Path) -> bool:
    """Return whether something is mounted exactly there (proc_pid_mountinfo(5))."""
    wanted = _escape(os.path.realpath(target.parent) + "/" + target.name)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        return any(line.split(" ", 5)[4] == wanted for line in lines)


def reason(error: OSError) -> str:
    """Return the errno's words as Go writes them."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _flags(options: Mapping[str, str]) -> tuple[int, int, list[str]]:
    """Return (mount flags, propagation, what is left for the file system) of ``o``."""
    flags, propagation = 0, 0
    rest: list[str] = []
    for word in filter(None, options.get("o", "").split(",")):
        if word in _SET:
            flags |= _SET[word]
        elif word in _CLEAR:
            flags &= ~_CLEAR[word]
        elif word in _PROPAGATION:
            propagation |= _PROPAGATION[word]
        elif word not in _PLAIN:
            rest.append(word)
    return flags, propagation, rest


def _mount(device: str, target: Path, kind: str, flags: int, propagation: int, rest: list[str]) -> None:
    where = os.fsencode(target)
    mounts.mount(os.fsencode(device), where, b"" if flags & mounts.MS_BIND else kind.encode(), flags, ",".join(rest).encode())
    try:
        # A bind takes no other flags at first (mount(2)); and ours are private unless something else was asked for.
        if flags & mounts.MS_BIND and flags & ~(mounts.MS_BIND | mounts.MS_REC):
            mounts.mount(b"", where, b"", flags | mounts.MS_REMOUNT)
        mounts.set_propagation(where, propagation or mounts.MS_PRIVATE | mounts.MS_REC)
    except OSError:
        mounts.unmount(where)
        raise


def _shown(rest: list[str]) -> str:
    """Passwords are nobody's but the server's."""
    return ",".join(f"{word[: word.index('=')]}=***" if word.startswith(("password=", "pass=")) else word for word in rest)


async def _with_address(rest: list[str]) -> list[str]:
    """The kernel's NFS client takes addresses only: ``addr=NAME`` is resolved here."""
    return [f"addr={await _resolve(word[5:])}" if word.startswith("addr=") else word for word in rest]


async def _with_host(device: str, rest: list[str]) -> list[str]:
    match = re.match(r"//([^/]+)/", device)
    if match is None or any(word.startswith(("ip=", "addr=")) for word in rest):
        return await _with_address(rest)
    return [*rest, f"ip={await _resolve(match[1])}"]


async def _resolve(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        words = getattr(error, "strerror", "") or "timed out"
        raise MountError(f"error resolving passed in network volume address: lookup {name}: {words.lower()}") from error
    return str(found[0][4][0])


def _escape(path: str) -> str:
    return path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
