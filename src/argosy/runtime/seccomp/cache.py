"""Compiled filters on disk: compiling costs some 100 ms, reading 5 KB nothing.

The key holds all that the result depends on (rules, architecture, kernel, library version). Files are root's alone: whoever
could write one would choose what containers may do.
"""

import os
import stat

try:
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256  # pulls OpenSSL in, which costs argosy-runtime more than everything else here

from argosy.linux import libseccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FORMAT = 1
_memory: dict[str, bytes] = {}
_library: list[str] = []


def compiled(seccomp: "Mapping[str, Any] | None", *, cache_dir: str) -> "bytes | None":
    """Return the BPF program of OCI ``linux.seccomp``; None for None (unconfined).

    Raises FilterError, or OSError when it has to be compiled and cannot be. A cache that cannot be used is not an error.
    """
    if not seccomp:
        return None
    key = cache_key(seccomp)
    if key not in _memory:
        path = os.path.join(cache_dir, key + ".bpf")
        program = _read(path)
        if program is None:
            from argosy.runtime.seccomp.compiler import compile_filter  # rarely needed

            program = compile_filter(seccomp)
            _write(path, program)
        _memory[key] = program
    return _memory[key]


def cache_key(seccomp: "Mapping[str, Any]") -> str:
    """Return the name under which the program of these rules is kept."""
    if not _library:
        _library.append(libseccomp.version())
    host = os.uname()
    # repr of plain values is as definite as JSON; other key orders only cost another compilation.
    text = repr((_FORMAT, seccomp, host.machine, host.release, _library[0]))
    return str(sha256(text.encode()).hexdigest())


def _read(path: str) -> "bytes | None":
    """A file that another user could have written, or half of one, is as good as none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return None
        content = os.read(fd, 1 << 20)
    finally:
        os.close(fd)
    digest, program = content[:32], content[32:]
    return program if sha256(program).digest() == digest and program and len(program) % 8 == 0 else None


def _write(path: str, program: bytes) -> None:
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, sha256(program).digest() + program)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
