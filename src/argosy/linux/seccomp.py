"""Load a compiled seccomp filter (seccomp(2)). Compiling is `linux.libseccomp`'s."""

import ctypes
import struct

from argosy.linux.syscall import address, call

_SET_MODE_FILTER = 1
_INSTRUCTION = 8
FLAG_TSYNC, FLAG_LOG, FLAG_SPEC_ALLOW, FLAG_NEW_LISTENER, FLAG_WAIT_KILLABLE = 1, 2, 4, 8, 32
FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": FLAG_TSYNC,
    "SECCOMP_FILTER_FLAG_LOG": FLAG_LOG,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": FLAG_SPEC_ALLOW,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": FLAG_WAIT_KILLABLE,
}


class Program:
    """A filter ready to load: nothing is left to allocate or look up when init calls `load`."""

    __slots__ = ("_code", "_flags", "_prog")

    def __init__(self, bpf: bytes, flags: int = 0) -> None:
        self._code = ctypes.create_string_buffer(bpf, len(bpf))
        fprog = struct.pack("@HP", len(bpf) // _INSTRUCTION, address(self._code))
        self._prog = ctypes.create_string_buffer(fprog, len(fprog))
        self._flags = flags

    def load(self) -> None:
        """Install it for this thread; needs CAP_SYS_ADMIN or no_new_privs."""
        call("seccomp", _SET_MODE_FILTER, self._flags, self._prog)
