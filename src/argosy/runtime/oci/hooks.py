"""Hooks of the specification (config.md "POSIX-platform Hooks")."""

import os
import select

from argosy.linux import process
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.plainjson import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IN_RUNTIME = ("prestart", "createRuntime")
IN_CONTAINER = ("createContainer",)


def run_hooks(hooks: "list[dict[str, Any]]", name: str, state: "dict[str, Any]", *, inside: "tuple[int, int] | None" = None) -> None:
    """Run them in order, the state on their stdin. Raises RuntimeFailed on the first that fails.

    ``inside``: (pidfd, namespaces) of the container in which they run.
    """
    for index, hook in enumerate(hooks):
        code = _run(hook, dumps(state).encode(), inside)
        if code:
            raise RuntimeFailed(f"error running {name} hook #{index}: {hook.get('path')} failed with exit status {code}")


def _run(hook: "dict[str, Any]", state: bytes, inside: "tuple[int, int] | None") -> int:
    reader, writer = os.pipe2(os.O_CLOEXEC)
    argv = hook.get("args") or [hook["path"]]
    environment = dict(entry.partition("=")[::2] for entry in hook.get("env") or ())
    pid, pidfd = process.clone3(0)
    if pid == 0:
        try:
            if inside is not None:
                process.prctl(process.PR_SET_DUMPABLE, 0)
                process.setns(*inside)
            os.dup2(reader, 0)
            process.default_signals()
            os.execve(hook["path"], argv, environment)
        except OSError as error:
            os.write(2, f"hook {hook['path']}: {error}\n".encode())
        finally:
            os._exit(127)
    os.close(reader)
    try:
        os.write(writer, state)
    except BrokenPipeError:
        pass
    os.close(writer)
    return _wait(pid, pidfd, hook.get("timeout"))


def _wait(pid: int, pidfd: int, timeout: "float | None") -> int:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if timeout and not poll.poll(timeout * 1000):
        process.pidfd_send_signal(pidfd, 9)
    _, status = os.waitpid(pid, 0)
    os.close(pidfd)
    return os.waitstatus_to_exitcode(status)
