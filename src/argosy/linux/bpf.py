"""bpf(2): load a device program and attach it to a cgroup v2 directory."""

import ctypes
import os
import struct

from argosy.linux.syscall import address, call

_PROG_LOAD, _PROG_ATTACH, _PROG_DETACH, _PROG_GET_FD_BY_ID, _PROG_QUERY = 5, 8, 9, 13, 16
_PROG_TYPE_CGROUP_DEVICE, _CGROUP_DEVICE = 15, 6
_ALLOW_MULTI = 2
_LICENCE = b"Apache\0"
_EINVAL, _ENOENT = 22, 2


def _bpf(command: int, attr: bytes) -> int:
    # The kernel takes a shorter attr as one padded with zeros.
    return call("bpf", command, ctypes.create_string_buffer(attr, len(attr)), len(attr))


def load_device_program(code: bytes) -> int:
    """Return the fd of a verified BPF_PROG_TYPE_CGROUP_DEVICE program."""
    instructions = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(_LICENCE)
    attr = struct.pack(
        "=IIQQIIQII16sII",
        _PROG_TYPE_CGROUP_DEVICE,
        len(code) // 8,
        address(instructions),
        address(licence),
        0,
        0,
        0,
        0,
        0,
        b"argosy_devices",
        0,
        _CGROUP_DEVICE,
    )
    return _bpf(_PROG_LOAD, attr)


def attached_device_programs(cgroup: int) -> list[int]:
    """Return ids of the device programs attached to that cgroup itself."""
    ids = (ctypes.c_uint32 * 64)()
    attr = ctypes.create_string_buffer(struct.pack("=IIIIQII", cgroup, _CGROUP_DEVICE, 0, 0, address(ids), 64, 0))
    call("bpf", _PROG_QUERY, attr, len(attr.raw) - 1)
    (count,) = struct.unpack_from("=I", attr.raw, 24)
    return list(ids[:count])


def attach_device_program(cgroup: int, program: int) -> None:
    """Attach it beside others and take away those that were there before: new first, so no moment is unguarded."""
    before = attached_device_programs(cgroup)
    _bpf(_PROG_ATTACH, struct.pack("=IIIII", cgroup, program, _CGROUP_DEVICE, _ALLOW_MULTI, 0))
    for identifier in before:
        old = _bpf(_PROG_GET_FD_BY_ID, struct.pack("=III", identifier, 0, 0))
        try:
            _bpf(_PROG_DETACH, struct.pack("=IIII", cgroup, old, _CGROUP_DEVICE, 0))
        except OSError as error:
            if error.errno not in (_EINVAL, _ENOENT):
                raise
        finally:
            os.close(old)
