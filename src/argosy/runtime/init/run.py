"""The child's whole life, from clone3 to execve."""

import gc
import os
import sys

from argosy.linux import process
from argosy.linux.syscall import SyscallError, words
from argosy.runtime.init import reaper
from argosy.runtime.init.context import Context
from argosy.runtime.init.gate import GO, ParentGone
from argosy.runtime.init.operations.devices import take_terminal
from argosy.runtime.init.operations.paths import change_directory
from argosy.runtime.init.program import ProgramError, candidates
from argosy.runtime.init.rights import Rights
from argosy.runtime.init.users import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from argosy.runtime.init.operations import Operation

_EACCES, _SIGKILL = 13, 9
# What runc's init ends with when execve itself fails after everything else went well.
_EXEC_FAILED = 255


class Job:
    """All that a child needs, built and encoded by the parent before the clone."""

    __slots__ = ("argv", "context", "cwd", "enter", "environment", "operations", "preserve", "reap", "rights", "stdio", "title")

    def __init__(
        self,
        *,
        context: Context,
        operations: "Sequence[Operation]",
        rights: Rights,
        argv: list[bytes],
        environment: dict[bytes, bytes],
        cwd: bytes,
        stdio: "tuple[int, int, int] | None",
        reap: bool = False,
        preserve: int = 0,
        enter: "tuple[int, int] | None" = None,
    ) -> None:
        self.context = context
        self.operations = operations
        self.rights = rights
        self.argv = argv
        self.environment = environment
        self.cwd = cwd
        self.stdio = stdio
        """The three fds; None: a terminal made by an operation."""
        self.reap = reap
        self.title = process.Title() if reap else None
        self.preserve = preserve
        """How many fds from 3 on the program inherits (OCI's --preserve-fds)."""
        self.enter = enter
        """(pidfd, namespaces) of the container that an exec goes into."""


def run(job: Job) -> "NoReturn":
    """Never returns; every error goes to the parent by the gate."""
    stage = "init"
    try:
        _isolate()
        _clean_slate(job)
        if job.enter is not None:
            stage = "setns"
            _enter(job)
        for operation in job.operations:
            stage = operation.stage
            operation.execute(job.context)
        stage = "program"
        paths = _prepare(job)
        stage = "gate"
        job.context.gate.wait(GO)
        if job.enter is not None:
            process.prctl(process.PR_SET_PDEATHSIG, 0)
        stage = "rights"
        _become_the_user(job)
        stage = "execve"
        _execute(job, paths)
    except ParentGone:
        os._exit(137)
    except BaseException as error:
        job.context.gate.fail(*_explain(stage, error))
        os._exit(1)


def _isolate() -> None:
    """From here on no import can run a file: the next ones would be the image's, with the host's rights."""
    sys.path[:] = []
    sys.meta_path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()


def _clean_slate(job: Job) -> None:
    # A collection would write to every object, and so copy every page that is shared with the parent.
    gc.disable()
    # Before any namespace is entered: a process inside must not read this memory (it is the runtime's).
    process.prctl(process.PR_SET_DUMPABLE, 0, name="dumpable")
    os.setsid()
    process.default_signals()
    if job.stdio is not None:
        _place(job.stdio)
    keep = [*job.context.gate.filenos(), *range(3 + job.preserve)]
    if job.enter is not None:
        keep.append(job.enter[0])
    if job.context.root >= 0:
        keep.append(job.context.root)
    keep.extend(fd for fd, _ in job.context.binds)
    keep.extend(job.context.doors)
    process.close_all_but(keep)
    os.umask(0)
    if job.enter is not None:
        _end_with_parent(job)


def _end_with_parent(job: Job) -> None:
    """Whatever an exec hangs in inside of the container, it may not outlive whom it is started for. Raises ParentGone."""
    process.prctl(process.PR_SET_PDEATHSIG, _SIGKILL)
    if job.context.gate.orphaned():
        raise ParentGone


def _place(stdio: "tuple[int, int, int]") -> None:
    """Make them 0, 1, 2; none may be overwritten before it was copied."""
    high = [fd if fd > 2 else os.dup(fd) for fd in stdio]
    for number, fd in enumerate(high):
        os.dup2(fd, number, inheritable=True)


def _enter(job: Job) -> None:
    assert job.enter is not None
    pidfd, namespaces = job.enter
    process.setns(pidfd, namespaces)
    os.close(pidfd)
    if namespaces & process.NEWUSER:
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        # A change of the ids takes both back (prctl(2)).
        process.prctl(process.PR_SET_DUMPABLE, 0, name="dumpable")
        _end_with_parent(job)
    job.context.root = os.open(b"/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _prepare(job: Job) -> list[bytes]:
    """Find the program and tell the parent that only the gate is left; return the paths to try."""
    context = job.context
    if b"HOME" not in job.environment:
        job.environment[b"HOME"] = context.home if context.user is None else context.user.home
    paths = candidates(job.argv[0], job.environment)
    for warning in context.warnings:
        context.gate.warn(warning)
    if context.slave >= 0:
        take_terminal(context.slave)
        os.close(context.slave)
    context.gate.prepared(context.master)
    if context.master >= 0:
        os.close(context.master)
    return paths


def _become_the_user(job: Job) -> None:
    user = job.context.user
    if user is not None and job.stdio is not None and user.uid:
        _give_stdio(user.uid)
    elif user is not None and job.stdio is None and user.uid:
        os.fchown(0, user.uid, -1)
    job.rights.label(job.context, stay=job.reap)
    job.rights.drop(job.context)
    if os.getcwdb() != os.path.normpath(job.cwd):
        change_directory(job.context.root, job.cwd)


def _give_stdio(uid: int) -> None:
    """Let the user open /dev/stdout and friends again (runc's fixStdioPermissions); what refuses is left alone."""
    for fd in (0, 1, 2):
        try:
            status = os.fstat(fd)
            if status.st_mode & 0o170000 in (0o010000, 0o140000) and status.st_uid != uid:
                os.fchown(fd, uid, -1)
        except OSError:
            pass


def _execute(job: Job, paths: list[bytes]) -> "NoReturn":
    if job.reap:
        _split(job)
    job.rights.confine()
    refused: OSError | None = None
    for path in paths:
        try:
            os.execve(path, job.argv, job.environment)
        except OSError as error:
            refused = error
            if error.errno != _EACCES:
                break
    assert refused is not None
    shown = os.fsdecode(job.argv[0])
    if refused.errno == _EACCES:
        raise ProgramError(_EACCES, f'exec: "{shown}": permission denied')
    # As runc, which has let go of its caller by now: the reason goes to the container's own output.
    os.write(2, f"exec {os.fsdecode(path)}: {words(refused.errno or 0)}\n".encode("utf-8", "surrogateescape"))
    os._exit(_EXEC_FAILED)


def _split(job: Job) -> None:
    """Stay behind as the reaper; the program goes on in a child."""
    reaper.block()
    # Not clone3: the container's filter may answer ENOSYS to it. fork(2) of the C library is an allowed clone(2).
    child = os.fork()
    if child:
        job.context.gate.close()
        job.rights.stay_confined()
        process.close_range(3)
        process.set_name(b"argosy-init")
        if job.title is not None:
            # Where Docker's users expect it, and nothing of the runtime's own command line.
            job.title.write([b"/sbin/argosy-init", b"--", *job.argv])
        os._exit(reaper.serve(child))
    os.setpgid(0, 0)
    try:
        os.tcsetpgrp(0, os.getpgrp())
    except OSError:
        pass
    reaper.unblock()


def _explain(stage: str, error: BaseException) -> "tuple[int, str, str]":
    if isinstance(error, ProgramError):
        return error.errno, "program", str(error)
    if isinstance(error, UserError):
        return 22, "user", str(error)
    if isinstance(error, SyscallError):
        return error.errno or 0, stage, str(error)
    if isinstance(error, OSError):
        where = "" if error.filename is None else f" {os.fsdecode(error.filename)}"
        return error.errno or 0, stage, f"{stage}{where}: {words(error.errno or 0)}"
    if isinstance(error, ValueError):
        return 0, stage, str(error)
    return 0, stage, f"{type(error).__name__}: {error}"
