"""``create``, ``run`` and ``start``."""

import _socket
import os
import time

from argosy.linux import process
from argosy.runtime.compile import probe_host
from argosy.runtime.init import gate
from argosy.runtime.oci import console, hooks
from argosy.runtime.oci.bundle import load_spec, plan_of, root_of
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.foreground import follow
from argosy.runtime.oci.state import GATE, Container, load, process_start, reserve
from argosy.runtime.spawn import Child, SpawnFailed, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from argosy.runtime.oci.arguments import Arguments

_CREATE_FAILED = "unable to start container process: "


def create(arguments: "Arguments", root: str) -> int:
    """Make the container up to its gate and leave it to the caller. Raises RuntimeFailed with nothing left."""
    if not arguments.text("console-socket") and _wants_terminal(arguments):
        raise RuntimeFailed("cannot allocate tty if runc will detach without setting console socket")
    _prepare(arguments, root)[1].close()
    return 0


def run(arguments: "Arguments", root: str) -> int:
    """create and start; without --detach stay until the program ended and return its exit code."""
    detached = arguments.given("detach")
    if detached and not arguments.text("console-socket") and _wants_terminal(arguments):
        raise RuntimeFailed("cannot allocate tty if runc will detach without setting console socket")
    container, child = _prepare(arguments, root)
    try:
        start_container(container)
    except BaseException:
        child.abort()
        _forget(container)
        raise
    if detached:
        child.close()
        return 0
    code = follow(child)
    child.close()
    if not arguments.given("keep"):
        _forget(container)
    return code


def _forget(container: Container) -> None:
    group = container.group()
    try:
        group.kill()
        group.remove()
    except OSError:
        pass
    container.remove()


def _wants_terminal(arguments: "Arguments") -> bool:
    spec = load_spec(os.path.abspath(arguments.text("bundle", ".")))
    return bool((spec.get("process") or {}).get("terminal"))


def _prepare(arguments: "Arguments", root: str) -> "tuple[Container, Child]":
    identifier = arguments.container()
    bundle = os.path.abspath(arguments.text("bundle", "."))
    spec = load_spec(bundle)
    directory = reserve(root, identifier)
    listener: _socket.socket | None = None
    try:
        plan = plan_of(spec, bundle, identifier, probe_host(overlay=False), arguments, os.path.join(root, ".seccomp"))
        container = Container(root, identifier, _record(spec, bundle, plan))
        listener = _listen(os.path.join(directory, GATE))
        child = _spawn(container, spec, plan, arguments, listener)
        try:
            container.record.update(pid=child.pid, pid_start=process_start(child.pid))
            container.save()
            _hand_over(child, arguments)
        except BaseException:
            child.abort()
            container.group().remove()
            raise
        return container, child
    except BaseException:
        Container(root, identifier, {}).remove()
        raise
    finally:
        if listener is not None:
            listener.close()


def _record(spec: "dict[str, Any]", bundle: str, plan: "dict[str, Any]") -> "dict[str, Any]":
    now = time.time_ns()
    created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000_000)) + f".{now % 1_000_000_000:09d}Z"
    # What exec does not need is not kept: the steps name every mount of the container.
    kept = {key: value for key, value in plan.items() if key not in ("steps", "binds", "environment", "root")}
    return {
        "oci_version": spec["ociVersion"],
        "bundle": bundle,
        "rootfs": root_of(spec, bundle),
        "created": created,
        "annotations": spec.get("annotations"),
        "hooks": spec.get("hooks") or {},
        "process": spec.get("process") or {},
        "plan": kept,
    }


def _listen(path: str) -> "_socket.socket":
    """Return the listening socket at which `start` will knock."""
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        socket.bind(f"/proc/self/fd/{directory}/{GATE}")
        socket.listen(1)
    finally:
        os.close(directory)
    return socket


def _spawn(
    container: Container, spec: "dict[str, Any]", plan: "dict[str, Any]", arguments: "Arguments", listener: "_socket.socket"
) -> Child:
    configured = spec.get("hooks") or {}

    def on_mounted(pid: int) -> None:
        container.record.update(pid=pid, pid_start=process_start(pid))
        state = {**container.oci_state(), "status": "creating"}
        for name in hooks.IN_RUNTIME:
            hooks.run_hooks(configured.get(name) or [], name, state)
        if configured.get("createContainer"):
            hooks.run_hooks(configured["createContainer"], "createContainer", state, inside=namespaces_of(container))

    try:
        child = spawn(plan, (0, 1, 2), preserve=arguments.number("preserve-fds"), listener=listener, on_mounted=on_mounted)
    except SpawnFailed as error:
        raise RuntimeFailed(_CREATE_FAILED + error.message) from error
    for warning in child.warnings:
        os.write(2, f"argosy-runtime: warning: {warning}\n".encode())
    return child


def namespaces_of(container: Container) -> tuple[int, int]:
    """Return (pidfd, flags) for setns into the container. The caller's process owns the pidfd."""
    flags = 0
    for kind in {*container.plan["namespaces"], *container.plan["join"]} - {"pid", "time"}:
        flags |= process.NAMESPACES[kind]
    return process.pidfd_open(container.pid), flags


def _hand_over(child: Child, arguments: "Arguments") -> None:
    if child.master >= 0 and arguments.text("console-socket"):
        master, child.master = child.master, -1
        console.send_master(arguments.text("console-socket"), master)
    write_pid_file(arguments.text("pid-file"), child.pid)


def write_pid_file(path: str, pid: int) -> None:
    """Whole or not at all: callers watch for it."""
    if not path:
        return
    directory, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(directory, f".{name}.{os.getpid()}")
    with open(temporary, "w") as file:
        file.write(str(pid))
    os.rename(temporary, path)


def start(arguments: "Arguments", root: str) -> int:
    container = load(root, arguments.container())
    status = container.status()
    if status == "stopped":
        raise RuntimeFailed("cannot start a container that has stopped")
    if status != "created":
        raise RuntimeFailed("cannot start an already running container")
    start_container(container)
    return 0


def start_container(container: Container) -> None:
    """Say go and return when execve succeeded. Raises RuntimeFailed."""
    configured = container.record.get("hooks") or {}
    if configured.get("startContainer"):
        hooks.run_hooks(configured["startContainer"], "startContainer", container.oci_state(), inside=namespaces_of(container))
    path = os.path.join(container.directory, GATE)
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    directory = os.open(container.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        socket.connect(f"/proc/self/fd/{directory}/{GATE}")
        os.unlink(path)
        socket.send(gate.GO)
        answer, _ = gate.receive(socket)
    except OSError as error:
        raise RuntimeFailed(f"starting container {container.id}: {error}") from error
    finally:
        os.close(directory)
        socket.close()
    if answer[:1] == gate.ERROR:
        raise RuntimeFailed(_CREATE_FAILED + gate.parse_error(answer)[2])
    try:
        hooks.run_hooks(configured.get("poststart") or [], "poststart", container.oci_state())
    except RuntimeFailed as error:
        os.write(2, f"argosy-runtime: warning: {error}\n".encode())
