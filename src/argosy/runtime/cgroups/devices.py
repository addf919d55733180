"""Device rules: the files of v1 and the BPF program of v2.

Documentation/admin-guide/cgroup-v1/devices.rst; BPF_PROG_TYPE_CGROUP_DEVICE in Documentation/bpf; instruction encoding from
Documentation/bpf/standardization/instruction-set.rst.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Rule = Mapping[str, Any]

_ACCESS = {"m": 1, "r": 2, "w": 4}
_BLOCK, _CHAR = 1, 2


def legacy_rules(rules: "Sequence[Rule]") -> list[tuple[str, str]]:
    """Return (file, value) to write in order; what comes before the last rule for everything has no effect and is left out."""
    lines: list[tuple[str, str]] = []
    for rule in rules:
        file = "devices.allow" if rule.get("allow") else "devices.deny"
        kind = rule.get("type") or "a"
        if kind == "a":
            lines = [(file, "a")]
            continue
        line = (file, f"{kind} {_star(rule.get('major'))}:{_star(rule.get('minor'))} {rule.get('access') or 'rwm'}")
        if line not in lines:
            lines.append(line)
    return lines


def _star(number: "int | None") -> str:
    return "*" if number is None or number < 0 else str(number)


def program(rules: "Sequence[Rule]") -> bytes:
    """Return BPF instructions that answer as the rules do together: the last one that matches decides, else denied.

    The context (struct bpf_cgroup_dev_ctx) is access_type (access << 16 | type), major, minor. A request may ask for
    several rights at once: an allow rule must cover all of them, a deny rule refuses when it touches any.
    """
    code = [
        _insn(0x61, 2, 1, 0),  # r2 = access_type
        _insn(0xBC, 3, 2),  # r3 = r2
        _insn(0x54, 2, imm=0xFFFF),  # r2 &= 0xffff: the type
        _insn(0x74, 3, imm=16),  # r3 >>= 16: the access
        _insn(0x61, 4, 1, 4),  # r4 = major
        _insn(0x61, 5, 1, 8),  # r5 = minor
    ]
    for rule in reversed(rules):
        code += _block(rule)
        if (rule.get("type") or "a") == "a" and set(rule.get("access") or "rwm") == {"r", "w", "m"}:
            break
    else:
        code += _return(0)
    return b"".join(code)


def _block(rule: "Rule") -> list[bytes]:
    """One rule: jump past its end when it does not match."""
    allow = bool(rule.get("allow"))
    kind = rule.get("type") or "a"
    tests: list[list[bytes]] = []
    if kind != "a":
        tests.append([_insn(0x55, 2, imm=_BLOCK if kind == "b" else _CHAR)])
    access = sum(_ACCESS[letter] for letter in set(rule.get("access") or "rwm"))
    if access != 7:
        if allow:  # r1 = r3; r1 &= access; not all asked for: next
            tests.append([_insn(0xBC, 1, 3), _insn(0x54, 1, imm=access), _insn(0x5D, 1, 3)])
        else:  # r1 = r3 & access; none: next
            tests.append([_insn(0xBC, 1, 3), _insn(0x54, 1, imm=access), _insn(0x15, 1, imm=0)])
    if kind != "a":
        for register, number in ((4, rule.get("major")), (5, rule.get("minor"))):
            if number is not None and number >= 0:
                tests.append([_insn(0x55, register, imm=number)])
    flat = [instruction for test in tests for instruction in test]
    jumps = set()
    position = 0
    for test in tests:
        position += len(test)
        jumps.add(position - 1)
    end = len(flat) + 2
    patched = [_with_offset(item, end - index - 1) if index in jumps else item for index, item in enumerate(flat)]
    return patched + _return(1 if allow else 0)


def _return(value: int) -> list[bytes]:
    return [_insn(0xB4, 0, imm=value), _insn(0x95)]


def _insn(opcode: int, destination: int = 0, source: int = 0, offset: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", opcode, source << 4 | destination, offset, imm)


def _with_offset(instruction: bytes, offset: int) -> bytes:
    return instruction[:2] + struct.pack("<h", offset) + instruction[4:]
