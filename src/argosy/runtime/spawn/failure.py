"""How a start failed, in the words that users of Docker know, and the exit code that follows from them."""

from argosy.linux.syscall import words

_START = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
_EXEC = "OCI runtime exec failed: exec failed: "
_PROCESS = "unable to start container process: "
_MOUNT_KIND = (
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type"
)
_EACCES, _ENOTDIR = 13, 20
_OWN_WORDS = ("user", "subpath")
"""Stages that dockerd does itself, before a runtime is asked."""


class SpawnFailed(Exception):
    """``errno`` (0: none), ``stage`` (an operation's, or ``program``, ``user``, ``cgroup``, …) and the bare message."""

    def __init__(self, number: int, stage: str, message: str, kind: str = "start") -> None:
        super().__init__(message)
        self.errno = number
        self.stage = stage
        self.message = message
        self.kind = kind

    def docker(self) -> str:
        """Return dockerd's full text."""
        if self.stage in _OWN_WORDS:
            return self.message
        inside = "" if self.stage in ("program", "cgroup", "clone", "rootfs source") else "error during container init: "
        text = (_EXEC if self.kind == "exec" else _START) + _PROCESS + inside + self.message
        if words(_ENOTDIR) in self.message and self.kind == "start":
            text += _MOUNT_KIND
        return text

    @property
    def code(self) -> int:
        """Return the exit code: 126, 127 or 128, by the rules of dockerd's setExitCodeFromError."""
        text = self.message
        if self.stage in _OWN_WORDS:
            return 128
        if words(_EACCES) in text:
            return 126
        if words(_ENOTDIR) in text:
            return 127
        if "executable file not found" in text or "no such file or directory" in text or "system cannot find" in text:
            return 127
        return 128
