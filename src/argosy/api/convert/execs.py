"""Execs on the wire."""

from typing import Any

from argosy.engine.model import ExecSpec, ExecState


def inspect(spec: ExecSpec, state: ExecState) -> dict[str, Any]:
    """Return ``GET /exec/{id}/json``."""
    process: dict[str, Any] = {
        "tty": spec.tty,
        "entrypoint": spec.cmd[0] if spec.cmd else "",
        "arguments": list(spec.cmd[1:]),
        "privileged": spec.privileged,
    }
    if spec.user:
        process["user"] = spec.user
    return {
        "ID": spec.id,
        "Running": state.running,
        "ExitCode": state.exit_code,
        "ProcessConfig": process,
        "OpenStdin": spec.attach_stdin,
        "OpenStderr": spec.attach_stderr,
        "OpenStdout": spec.attach_stdout,
        "CanRemove": state.can_remove,
        "ContainerID": spec.container_id,
        "DetachKeys": spec.detach_keys,
        "Pid": state.pid,
    }
