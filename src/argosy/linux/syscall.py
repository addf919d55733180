"""The one gate to the kernel: raw system calls through ctypes, and the one place where they fail.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (aarch64). Calls that the `os` module
already offers are not repeated in this package. Light on purpose: the launcher imports it.
"""

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_SYMLINK_NOFOLLOW = 0x100
AT_RECURSIVE = 0x8000
AT_NO_AUTOMOUNT = 0x800

_X86_64 = {
    "mount": 165,
    "umount2": 166,
    "pivot_root": 155,
    "setns": 308,
    "unshare": 272,
    "prctl": 157,
    "keyctl": 250,
    "seccomp": 317,
    "capset": 126,
    "capget": 125,
    "sethostname": 170,
    "setdomainname": 171,
    "prlimit64": 302,
    "bpf": 321,
    "ioprio_set": 251,
    "inotify_init1": 294,
    "inotify_add_watch": 254,
    "inotify_rm_watch": 255,
    "execveat": 322,
    "personality": 135,
    "sched_setattr": 314,
    "syncfs": 306,
    "fstatfs": 138,
}
_GENERIC = {
    "mount": 40,
    "umount2": 39,
    "pivot_root": 41,
    "setns": 268,
    "unshare": 97,
    "prctl": 167,
    "keyctl": 219,
    "seccomp": 277,
    "capset": 91,
    "capget": 90,
    "sethostname": 161,
    "setdomainname": 162,
    "prlimit64": 261,
    "bpf": 280,
    "ioprio_set": 30,
    "inotify_init1": 26,
    "inotify_add_watch": 27,
    "inotify_rm_watch": 28,
    "execveat": 281,
    "personality": 92,
    "sched_setattr": 274,
    "syncfs": 267,
    "fstatfs": 44,
}
_COMMON = {
    "pidfd_send_signal": 424,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
    "quotactl_fd": 443,
}
MACHINE = os.uname().machine
NUMBERS = {**(_X86_64 if MACHINE == "x86_64" else _GENERIC), **_COMMON}


def _bind(library: ctypes.CDLL) -> "Callable[..., int]":
    function = library.syscall
    # A variadic function called without argtypes would cut integers to 32 bits; c_void_p takes ints, bytes and buffers.
    function.argtypes = [ctypes.c_long] + [ctypes.c_void_p] * 6
    function.restype = ctypes.c_long
    return function


_free = _bind(ctypes.CDLL(None, use_errno=True))
_held = _bind(ctypes.PyDLL(None, use_errno=True))
_address = ctypes.addressof
# strerror is prepared here: after a pivot the C library might look for message catalogues in the image.
_WORDS = {number: os.strerror(number) for number in range(1, 134)}


def words(number: int) -> str:
    """Return strerror's text with Go's lower-case first letter (``no such file or directory``)."""
    text = _WORDS.get(number, f"errno {number}")
    return text[:1].lower() + text[1:]


class SyscallError(OSError):
    """OSError that also names the call; `errno`, `filename` as usual."""

    call: str = ""

    def __str__(self) -> str:
        where = "" if self.filename is None else f" {os.fsdecode(self.filename)}"
        return f"{self.call}{where}: {words(self.errno or 0)}"


def fail(number: int, call: str, path: str | bytes | None = None) -> "NoReturn":
    """Raise `SyscallError`, which an ``except OSError`` catches, for errno ``number``."""
    error = SyscallError(number, words(number))
    error.call = call
    if path is not None:
        error.filename = path
    raise error


def _kernel(name: str, args: tuple[object, ...], hold_gil: bool) -> int:
    return (_held if hold_gil else _free)(NUMBERS[name], *args, *(0,) * (6 - len(args)))


_gate: "Callable[[str, tuple[object, ...], bool], int]" = _kernel


def call(name: str, *args: object, path: str | bytes | None = None, hold_gil: bool = False) -> int:
    """Do one system call and return its result; raise SyscallError (an OSError) naming call and path.

    ``hold_gil`` is for clone3 alone: the child must come back into an interpreter that it owns.
    """
    result = _gate(name, args, hold_gil)
    if result < 0:
        fail(ctypes.get_errno(), name, path)
    return result


def address(buffer: object) -> int:
    """Return where a ctypes structure or array lies in memory."""
    return _address(buffer)  # type: ignore[arg-type]


def replace_gate(gate: "Callable[[str, tuple[object, ...], bool], int] | None") -> None:
    """Send every call to ``gate`` instead of the kernel (None: back to the kernel). Only `linux.fake` uses it."""
    global _gate
    _gate = gate if gate is not None else _kernel
