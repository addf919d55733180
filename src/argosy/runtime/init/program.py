"""Find the program as Go's exec.LookPath does, because Docker's users know its errors."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class ProgramError(Exception):
    """The program cannot be run; ``errno`` decides about the exit code 126 or 127."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.errno = number


_ENOENT, _EACCES = 2, 13


def candidates(name: bytes, environment: "Mapping[bytes, bytes]") -> list[bytes]:
    """Return the paths to try in order; at least one. Raises ProgramError with Docker's words."""
    shown = quote(name)
    if b"/" in name:
        try:
            status = os.stat(name)
        except OSError as error:
            if error.errno == _EACCES:
                raise ProgramError(_EACCES, f"exec: {shown}: permission denied") from None
            text = (error.strerror or "").lower()
            raise ProgramError(error.errno or 0, f"exec: {shown}: stat {_show(name)}: {text}") from None
        if not _runnable(status.st_mode):
            raise ProgramError(_EACCES, f"exec: {shown}: permission denied")
        return [name]
    found = []
    for directory in environment.get(b"PATH", b"").split(b":") if name else ():
        path = (directory or b".") + b"/" + name
        try:
            if _runnable(os.stat(path).st_mode):
                found.append(path)
        except OSError:
            continue
    if not found:
        raise ProgramError(_ENOENT, f"exec: {shown}: executable file not found in $PATH")
    return found


def _runnable(mode: int) -> bool:
    return mode & 0o170000 != 0o040000 and mode & 0o111 != 0


def _show(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def quote(name: bytes) -> str:
    """Return Go's ``%q`` of a name for the characters that occur in names."""
    return '"' + _show(name).replace("\\", "\\\\").replace('"', '\\"') + '"'
