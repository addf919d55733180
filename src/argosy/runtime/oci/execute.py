"""``exec``."""

import os

from argosy.linux import process as processes
from argosy.runtime.cgroups import Membership
from argosy.runtime.compile import PlanError, compile_exec
from argosy.runtime.oci.console import send_master
from argosy.runtime.oci.create import write_pid_file
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.foreground import follow
from argosy.runtime.oci.plainjson import loads
from argosy.runtime.oci.state import load
from argosy.runtime.spawn import SpawnFailed, spawn_exec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from argosy.runtime.oci.arguments import Arguments

# What runc's exec answers when the program could not be started.
_FAILED = 255


def execute(arguments: "Arguments", root: str) -> int:
    """Run one more process. Raises RuntimeFailed (255)."""
    container = load(root, arguments.container())
    status = container.status()
    if status == "stopped":
        raise RuntimeFailed("cannot exec in a stopped container", _FAILED)
    if status == "paused" and not arguments.given("ignore-paused"):
        raise RuntimeFailed("cannot exec in a paused container (use --ignore-paused to override)", _FAILED)
    process = _process(arguments, container.record["process"])
    detached = arguments.given("detach")
    if process.get("terminal") and detached and not arguments.text("console-socket"):
        raise RuntimeFailed("cannot allocate tty if runc will detach without setting console socket", _FAILED)
    try:
        plan = compile_exec(process, container.plan, exec_id=str(os.getpid()))
        target = processes.pidfd_open(container.pid)
        child = spawn_exec(
            plan,
            target,
            container.pid,
            (0, 1, 2),
            group=Membership(container.group()),
            preserve=arguments.number("preserve-fds"),
        )
        try:
            if child.master >= 0 and arguments.text("console-socket"):
                master, child.master = child.master, -1
                send_master(arguments.text("console-socket"), master)
            write_pid_file(arguments.text("pid-file"), child.pid)
        except BaseException:
            child.abort()
            raise
        child.release()
    except (PlanError, OSError) as error:
        raise RuntimeFailed(f"exec failed: {error}", _FAILED) from error
    except SpawnFailed as error:
        raise RuntimeFailed(f"exec failed: unable to start container process: {error.message}", _FAILED) from error
    return 0 if detached else follow(child)


def _process(arguments: "Arguments", configured: "dict[str, Any]") -> "dict[str, Any]":
    if arguments.text("process"):
        try:
            with open(arguments.text("process")) as file:
                loaded: dict[str, Any] = loads(file.read())
                return loaded
        except (OSError, ValueError) as error:
            raise RuntimeFailed(f"reading {arguments.text('process')}: {error}", _FAILED) from error
    if len(arguments.words) < 2:
        raise RuntimeFailed("process args cannot be empty", _FAILED)
    process = {**configured, "args": arguments.words[1:], "terminal": arguments.given("tty")}
    process["env"] = [*(configured.get("env") or ()), *arguments.several("env")]
    if arguments.text("cwd"):
        process["cwd"] = arguments.text("cwd")
    if arguments.given("no-new-privs"):
        process["noNewPrivileges"] = True
    for flag, key in (("apparmor", "apparmorProfile"), ("process-label", "selinuxLabel")):
        if arguments.text(flag):
            process[key] = arguments.text(flag)
    if arguments.text("user"):
        process["user"] = _user(arguments.text("user"))
    if arguments.several("additional-gids"):
        process["user"] = {**process["user"], "additionalGids": [int(gid) for gid in arguments.several("additional-gids")]}
    if arguments.several("cap"):
        sets = configured.get("capabilities") or {}
        process["capabilities"] = {
            name: [*(sets.get(name) or ()), *arguments.several("cap")] for name in ("bounding", "effective", "permitted")
        }
    return process


def _user(text: str) -> "dict[str, int]":
    uid, _, gid = text.partition(":")
    try:
        return {"uid": int(uid), "gid": int(gid or 0)}
    except ValueError:
        raise RuntimeFailed(f"parsing {text} as int for uid failed", _FAILED) from None
