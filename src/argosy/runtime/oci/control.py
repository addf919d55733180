"""``kill``, ``delete``, ``pause``, ``resume``, ``update``."""

import os
import sys
import time

from argosy.linux import process
from argosy.linux.signals import parse_signal
from argosy.runtime.oci import hooks
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.plainjson import loads
from argosy.runtime.oci.state import Container, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from argosy.runtime.oci.arguments import Arguments

_KILL_SECONDS = 10.0


def kill(arguments: "Arguments", root: str) -> int:
    container = load(root, arguments.container())
    text = arguments.words[1] if len(arguments.words) > 1 else "SIGTERM"
    try:
        number = parse_signal(text)
    except ValueError:
        raise RuntimeFailed(f'unknown signal "{text}"') from None
    if arguments.given("all"):
        container.group().kill(number)
        return 0
    if container.status() == "stopped":
        raise RuntimeFailed("container not running")
    _signal(container, number)
    return 0


def _signal(container: Container, number: int) -> None:
    fd = process.pidfd_open(container.pid)
    try:
        # The pid may have got another owner between the check and the open: check what was opened.
        if not container.alive():
            raise RuntimeFailed("container not running")
        process.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        raise RuntimeFailed("container not running") from None
    finally:
        os.close(fd)


def delete(arguments: "Arguments", root: str) -> int:
    """Remove what is left of a stopped container; --force kills a running one, and absent is fine then."""
    force = arguments.given("force")
    try:
        container = load(root, arguments.container())
    except RuntimeFailed:
        if force:
            return 0
        raise
    status = container.status()
    if status != "stopped":
        # A created one has run nothing of the user's yet; runc deletes it without force.
        if not force and status != "created":
            raise RuntimeFailed(f"cannot delete container {container.id} that is not stopped: {status}")
        _end(container)
    group = container.group()
    group.kill()
    group.remove()
    try:
        hooks.run_hooks((container.record.get("hooks") or {}).get("poststop") or [], "poststop", container.oci_state())
    except RuntimeFailed as error:
        os.write(2, f"argosy-runtime: warning: {error}\n".encode())
    container.remove()
    return 0


def _end(container: Container) -> None:
    try:
        _signal(container, 9)
    except RuntimeFailed:
        return
    if container.group().frozen():
        container.group().thaw()
    deadline = time.monotonic() + _KILL_SECONDS
    while container.alive():
        if time.monotonic() > deadline:
            raise RuntimeFailed(f"container {container.id} did not end")
        time.sleep(0.002)


def pause(arguments: "Arguments", root: str) -> int:
    container = load(root, arguments.container())
    if container.status() not in ("running", "created"):
        raise RuntimeFailed("container not running")
    container.group().freeze()
    return 0


def resume(arguments: "Arguments", root: str) -> int:
    container = load(root, arguments.container())
    if container.status() != "paused":
        raise RuntimeFailed("container not paused")
    container.group().thaw()
    return 0


_FLAGS = (
    ("memory", "memory", "limit"),
    ("memory-reservation", "memory", "reservation"),
    ("memory-swap", "memory", "swap"),
    ("cpu-period", "cpu", "period"),
    ("cpu-quota", "cpu", "quota"),
    ("cpu-burst", "cpu", "burst"),
    ("cpu-share", "cpu", "shares"),
    ("cpu-rt-period", "cpu", "realtimePeriod"),
    ("cpu-rt-runtime", "cpu", "realtimeRuntime"),
    ("cpu-idle", "cpu", "idle"),
    ("blkio-weight", "blockIO", "weight"),
    ("pids-limit", "pids", "limit"),
)


def update(arguments: "Arguments", root: str) -> int:
    container = load(root, arguments.container())
    if container.status() == "stopped":
        raise RuntimeFailed("container not running")
    resources = _resources(arguments)
    # The device rules of the start stay: what is given here says nothing about them.
    resources.pop("devices", None)
    try:
        warnings = container.group().update(resources)
    except (OSError, ValueError) as error:
        raise RuntimeFailed(str(error)) from error
    for warning in warnings:
        os.write(2, f"argosy-runtime: warning: {warning}\n".encode())
    return 0


def _resources(arguments: "Arguments") -> "dict[str, Any]":
    source = arguments.text("resources")
    if source:
        try:
            if source == "-":
                return dict(loads(sys.stdin.read()))
            with open(source) as file:
                return dict(loads(file.read()))
        except (OSError, ValueError) as error:
            raise RuntimeFailed(f"reading the resources: {error}") from error
    resources: dict[str, Any] = {}
    for flag, section, key in _FLAGS:
        if arguments.text(flag):
            resources.setdefault(section, {})[key] = arguments.number(flag)
    for flag, key in (("cpuset-cpus", "cpus"), ("cpuset-mems", "mems")):
        if arguments.text(flag):
            resources.setdefault("cpu", {})[key] = arguments.text(flag)
    return resources
