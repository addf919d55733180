"""From a fork of the launcher to a shim."""

import _signal as signal  # type: ignore[import-not-found]
import os
import sys

from argosy.runtime.foreign import Foreign
from argosy.runtime.shim import wire
from argosy.runtime.shim.apart import Starter
from argosy.runtime.shim.children import Children
from argosy.runtime.shim.container import Container
from argosy.runtime.shim.loop import Loop
from argosy.runtime.shim.maker import protect_from_oom
from argosy.runtime.shim.native import Native
from argosy.runtime.shim.stage import StartError, set_stage
from argosy.runtime.shim.title import set_title

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from typing import Any

    from argosy.runtime.shim.execs import Runner
    from argosy.runtime.shim.stage import Stage

_UNMOVED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2)
"""Who wants the container to end sends the signal to the container."""


def run(control: "socket.socket", starter: Starter) -> int:
    """Be the shim of the container that ``starter`` makes until it has ended; return the exit code of this process."""
    children = _begin()
    stage, fds = starter.result()
    if "pid" not in stage:
        wire.send(control, _failed(stage.get("failed", _FAILED + "its starter was killed"), stage.get("code", 128)))
        return 0
    held = dict(zip(stage["fds"], fds))
    return _serve(children, stage, held, Native(stage, held), control)


def run_foreign(request_fd: int, plan_fd: int, control: "socket.socket") -> int:
    """The same with another OCI runtime, whose container is made by the shim itself: the root is mounted for it alone."""
    children = _begin()
    protect_from_oom(os.getpid())
    try:
        request = wire.decode(request_fd)
        runner = Foreign(request, wire.decode(plan_fd))
        stage, held = set_stage(request, os.getpid(), runner)
    except StartError as error:
        wire.send(control, _failed(str(error), error.code))
        return 0
    except Exception as error:
        wire.send(control, _failed(f"{_FAILED}{error}", 128))
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return _serve(children, stage, held, runner, control)


def _begin() -> Children:
    for number in _UNMOVED:
        signal.signal(number, signal.SIG_IGN)
    return Children(Loop())


def _serve(children: Children, stage: "Stage", held: "dict[str, int]", runner: "Runner", control: "socket.socket") -> int:
    container = Container(children, stage, held, runner, control)
    set_title("argosy-shim", stage["id"])
    # Whoever ended before it was expected has been noted, but not for whom.
    children.reap()
    container.loop.run()
    return 0


_FAILED = "failed to create task for container: "


def _failed(message: str, code: int) -> "dict[str, Any]":
    return {"event": "failed", "message": message, "code": code}
