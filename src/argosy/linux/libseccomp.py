"""Compile system call rules to BPF with Debian's libseccomp2, through ctypes (seccomp_init(3), seccomp_rule_add(3))."""

import ctypes
import os

from argosy.linux.syscall import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

KILL_PROCESS, KILL_THREAD, TRAP, ERRNO = 0x80000000, 0x00000000, 0x00030000, 0x00050000
NOTIFY, TRACE, LOG, ALLOW = 0x7FC00000, 0x7FF00000, 0x7FFC0000, 0x7FFF0000
NE, LT, LE, EQ, GE, GT, MASKED_EQ = 1, 2, 3, 4, 5, 6, 7

_ATTR_NNP, _ATTR_OPTIMIZE = 3, 8
_EEXIST, _EFAULT, _EDOM = 17, 14, 33
_X32_BIT = 0x40000000


class _Compare(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


class LibraryMissing(OSError):
    """libseccomp.so.2 cannot be loaded."""


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise LibraryMissing(2, f"seccomp needs libseccomp2, which cannot be loaded: {error}") from error
    context = ctypes.c_void_p
    library.seccomp_init.restype = context
    library.seccomp_init.argtypes = (ctypes.c_uint32,)
    library.seccomp_release.argtypes = (context,)
    library.seccomp_release.restype = None
    library.seccomp_attr_set.argtypes = (context, ctypes.c_int, ctypes.c_uint32)
    library.seccomp_arch_resolve_name.argtypes = (ctypes.c_char_p,)
    library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    library.seccomp_arch_add.argtypes = (context, ctypes.c_uint32)
    library.seccomp_arch_native.restype = ctypes.c_uint32
    library.seccomp_syscall_resolve_name_arch.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    library.seccomp_syscall_resolve_name.argtypes = (ctypes.c_char_p,)
    library.seccomp_rule_add_array.argtypes = (context, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Compare))
    library.seccomp_export_bpf.argtypes = (context, ctypes.c_int)
    library.seccomp_version.restype = ctypes.POINTER(ctypes.c_uint * 3)
    return library


class Compiler:
    """One filter being built. Use as a context manager; all methods raise SyscallError naming the library's call."""

    def __init__(self, default_action: int) -> None:
        self._library = _library()
        self._context = self._library.seccomp_init(default_action)
        if not self._context:
            fail(22, "seccomp_init")
        # Whether no_new_privs is set is decided at load time, not by the library.
        self._check(self._library.seccomp_attr_set(self._context, _ATTR_NNP, 0), "seccomp_attr_set")
        self._optimize()

    def _optimize(self) -> None:
        """Ask for a binary search tree (libseccomp 2.5): about 12 comparisons a call instead of some hundreds."""
        self._library.seccomp_attr_set(self._context, _ATTR_OPTIMIZE, 2)

    def __enter__(self) -> "Compiler":
        return self

    def __exit__(self, *exc: object) -> None:
        self._library.seccomp_release(self._context)

    def _check(self, result: int, call: str, what: str | None = None) -> None:
        if result < 0:
            fail(-result, call, what)

    def add_architecture(self, name: str) -> None:
        """Also filter calls made through this ABI (``x86``, ``x32``, ``arm``, …); the native one is there already."""
        token = self._library.seccomp_arch_resolve_name(name.encode())
        if not token:
            fail(22, "seccomp_arch_resolve_name", name)
        result = self._library.seccomp_arch_add(self._context, token)
        if result != -_EEXIST:
            self._check(result, "seccomp_arch_add", name)

    def native(self) -> str:
        """Return the library's name of this machine's architecture."""
        token = self._library.seccomp_arch_native()
        for name in ("x86_64", "aarch64", "x86", "arm", "riscv64"):
            if self._library.seccomp_arch_resolve_name(name.encode()) == token:
                return name
        return ""

    def number(self, name: str, architecture: str) -> int:
        """Return the call's number there (without x32's bit), negative when it has none."""
        token = self._library.seccomp_arch_resolve_name(architecture.encode())
        number = int(self._library.seccomp_syscall_resolve_name_arch(token, name.encode()))
        return number & ~_X32_BIT if number >= 0 else number

    def add_rule(self, action: int, name: str, comparisons: "Sequence[tuple[int, int, int, int]]" = ()) -> bool:
        """Add one rule, comparisons are (argument, operator, value, value two), all must hold.

        Returns False for a system call that the library does not know: runc skips it as well.
        """
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            return False
        array = (_Compare * max(len(comparisons), 1))(*(_Compare(*comparison) for comparison in comparisons))
        result = self._library.seccomp_rule_add_array(self._context, action, number, len(comparisons), array)
        # EDOM: not on this architecture; EEXIST: said before; EFAULT: a pseudo call of another ABI.
        if result not in (-_EEXIST, -_EDOM, -_EFAULT):
            self._check(result, "seccomp_rule_add", name)
        return True

    def export(self) -> bytes:
        """Return the BPF program."""
        fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        try:
            self._check(self._library.seccomp_export_bpf(self._context, fd), "seccomp_export_bpf")
            size = os.lseek(fd, 0, os.SEEK_END)
            return os.pread(fd, size, 0)
        finally:
            os.close(fd)


def version() -> str:
    """Return the library's version, ``2.5.4``; empty when it is missing."""
    try:
        numbers = _library().seccomp_version().contents
    except LibraryMissing:
        return ""
    return ".".join(str(number) for number in numbers)


def knows(name: str) -> bool:
    """Return whether the library knows that system call."""
    return bool(_library().seccomp_syscall_resolve_name(name.encode()) != -1)
