"""Run a classic BPF program as the kernel runs a filter (only the instructions that filters have)."""

import struct

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
X86_64, X86 = 0xC000003E, 0x40000003


def decide(program: bytes, number: int, *arguments: int, arch: int = X86_64) -> int:
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, arch, 0, *padded)
    accumulator = position = 0
    while True:
        code, true, false, value = struct.unpack_from("<HBBI", program, position * 8)
        position += 1
        kind = code & 0x07
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return int(value)
        elif code == 0x54:
            accumulator &= value
        elif code == 0x05:
            position += value
        elif kind == 0x05:
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[
                code
            ]
            position += true if holds else false
        else:
            raise AssertionError(hex(code))
