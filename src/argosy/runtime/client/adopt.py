"""After a restart: is the shim alive, has the container ended, or did the shim die without a word?

A pid from a file is trusted only with its start time and this boot's id. Between the end of a container and its record lies
an instant in which the shim no longer listens: then its process is waited for.
"""

import asyncio
import errno
import fcntl
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from argosy.runtime.cgroups import open_group
from argosy.runtime.client.directory import Directories
from argosy.runtime.exitrecord import EXIT, LOCK, SHIM, SOCKET, START, boot_id, read_json, start_time
from argosy.runtime.model import ExitRecord

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Living:
    """A shim that answered its socket."""

    link: socket.socket
    cgroup: Mapping[str, Any]
    terminal: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """``dead``: the shim left no record; what is in the cgroup has to be killed."""

    attempt: str
    cgroup: Mapping[str, Any]
    dead: bool
    record: ExitRecord = field(default_factory=lambda: ExitRecord(137, 0))
    execs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def record_of(value: Mapping[str, Any]) -> ExitRecord:
    return ExitRecord(value["exit_code"], value["finished_at"], value["oom_killed"], value["error"])


async def find(directories: Directories, container_id: str) -> Living | Ended | None:
    """Return what is left of the container's last start; None if it never ran (leftovers of its cgroup are removed)."""
    directory = directories.path(container_id)
    start = read_json(directory, START)
    if start is None:
        return None
    if read_json(directory, EXIT) is None:
        link = connect(directory)
        if link is not None:
            return Living(link, start["cgroup"], start["terminal"])
    return await ended(directories, container_id)


async def ended(directories: Directories, container_id: str) -> Ended | None:
    """Return how the last start ended, once its shim is gone or has written the record."""
    directory = directories.path(container_id)
    start = read_json(directory, START)
    if start is None:
        return None
    shim = read_json(directory, SHIM)
    if shim is not None:
        await _gone_or_recorded(directory, shim)
    record = read_json(directory, EXIT)
    if record is not None and record["attempt"] == start["attempt"]:
        return Ended(start["attempt"], start["cgroup"], False, record_of(record), record.get("execs") or {})
    if shim is not None and shim["attempt"] == start["attempt"] and os.path.isdir(directory):
        return Ended(start["attempt"], start["cgroup"], True)
    await asyncio.to_thread(_clean, start["cgroup"])
    return None


async def _gone_or_recorded(directory: str, shim: Mapping[str, Any]) -> None:
    if shim["boot_id"] != boot_id():
        return
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    try:
        # Opened first, compared then: from here on the number is nobody else's.
        pidfd = os.pidfd_open(shim["shim"])
    except OSError as error:
        # EINVAL: one that is just being reaped, before Linux 6.9.
        if error.errno not in (errno.ESRCH, errno.EINVAL):
            raise
        return
    try:
        while start_time(shim["shim"]) == shim["shim_start"] and read_json(directory, EXIT) is None:
            if asyncio.get_running_loop().time() > deadline:
                # It neither listens nor ends nor writes: it is stuck, and nobody else holds the container.
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                return
            await asyncio.sleep(0.01)
    finally:
        os.close(pidfd)


def connect(directory: str) -> socket.socket | None:
    """Return a connection to the shim's socket, None if nobody listens."""
    try:
        handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        # Through the fd: the exec root may be longer than a socket's path can be.
        link.connect(f"/proc/self/fd/{handle}/{SOCKET}")
    except OSError:
        link.close()
        return None
    finally:
        os.close(handle)
    return link


async def forget(directories: Directories, container_id: str) -> None:
    """Remove the state directory and the cgroup, when the shim has let go of both."""
    directory = directories.path(container_id)
    start = read_json(directory, START)
    if not await asyncio.to_thread(_wait_for_lock, directory):
        return
    if start is not None:
        await asyncio.to_thread(_clean, start["cgroup"])
    directories.remove(container_id)


def _wait_for_lock(directory: str) -> bool:
    """Wait for the shim's lock; False when there is nothing at all."""
    try:
        fd = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.path.isdir(directory)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)
    return True


def _clean(cgroup: Mapping[str, Any]) -> None:
    group = open_group(cgroup)
    if group.exists():
        group.kill()
        group.remove()
