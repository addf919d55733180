"""From a fork of the launcher to a shim."""

import _signal as signal  # type: ignore[import-not-found]
import sys

from argosy.linux.process import PR_SET_CHILD_SUBREAPER, prctl
from argosy.runtime.foreign import Foreign
from argosy.runtime.shim import wire
from argosy.runtime.shim.container import Container
from argosy.runtime.shim.native import Native, StartError
from argosy.runtime.shim.title import set_title

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from typing import Any

    from argosy.runtime.shim.apart import Starter
    from argosy.runtime.shim.execs import Runner


def run(request: "dict[str, Any]", control: "socket.socket", starter: "Starter") -> int:
    """Be the shim of one container until it has ended; return the exit code of this process."""
    set_title("argosy-shim", request["id"])
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
        # Who wants the container to end sends the signal to the container.
        signal.signal(number, signal.SIG_IGN)
    protect_from_oom(request.get("oom_score_adj", -999))
    runner: Runner
    if request.get("runtime"):
        starter.dismiss()
        runner = Foreign(request)
    else:
        runner = Native(request["plan"], request["cgroup"], starter)
    container = Container(request, runner, control)
    try:
        container.prepare()
    except StartError as error:
        wire.send(control, {"event": "failed", "message": str(error), "code": error.code})
        return 0
    except Exception as error:
        wire.send(control, {"event": "failed", "message": f"failed to create task for container: {error}", "code": 128})
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    container.loop.run()
    return 0


def protect_from_oom(value: int) -> None:
    """Ask for this oom_score_adj, or for the lowest that is allowed (proc(5): lowering needs CAP_SYS_RESOURCE)."""
    for score in (value, 0):
        try:
            with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
                file.write(str(score).encode())
            return
        except OSError:
            continue
