"""The C library's heap (mallopt(3), malloc_trim(3))."""

import ctypes

KEEP = {"MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_ARENA_MAX": "1"}
"""Environment of a process that moves large buffers: without it glibc gives the memory of each back to the kernel and faults
it in again for the next, which costs more than half of the time. Other C libraries ignore it."""

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def trim() -> None:
    """Give unused memory back to the kernel, where the C library can."""
    if _trim is not None:
        _trim(0)
