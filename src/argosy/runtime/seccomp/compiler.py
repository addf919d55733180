"""OCI ``linux.seccomp`` → BPF, by libseccomp, as runc compiles it."""

import struct

from argosy.linux import libseccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_ACTIONS = {
    "SCMP_ACT_KILL": libseccomp.KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": libseccomp.KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": libseccomp.KILL_PROCESS,
    "SCMP_ACT_TRAP": libseccomp.TRAP,
    "SCMP_ACT_ERRNO": libseccomp.ERRNO,
    "SCMP_ACT_TRACE": libseccomp.TRACE,
    "SCMP_ACT_ALLOW": libseccomp.ALLOW,
    "SCMP_ACT_LOG": libseccomp.LOG,
}
_WITH_NUMBER = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_OPERATORS = {
    "SCMP_CMP_NE": libseccomp.NE,
    "SCMP_CMP_LT": libseccomp.LT,
    "SCMP_CMP_LE": libseccomp.LE,
    "SCMP_CMP_EQ": libseccomp.EQ,
    "SCMP_CMP_GE": libseccomp.GE,
    "SCMP_CMP_GT": libseccomp.GT,
    "SCMP_CMP_MASKED_EQ": libseccomp.MASKED_EQ,
}
_EPERM, _ENOSYS = 1, 38
_X32_BIT = 0x40000000
# AUDIT_ARCH_… of include/uapi/linux/audit.h
_AUDIT = {"x86_64": 0xC000003E, "x86": 0x40000003, "aarch64": 0xC00000B7, "arm": 0x40000028, "riscv64": 0xC00000F3}


class FilterError(ValueError):
    """The rules cannot be compiled; the message names the part."""


def compile_filter(seccomp: "Mapping[str, Any]") -> bytes:
    """Return the BPF program. Raises FilterError, OSError when libseccomp is missing or refuses."""
    default = _action(seccomp["defaultAction"], seccomp.get("defaultErrnoRet"))
    names = [_architecture(name) for name in seccomp.get("architectures") or ()]
    with libseccomp.Compiler(default) as compiler:
        for name in names:
            compiler.add_architecture(name)
        newest = dict.fromkeys(names or [compiler.native()], -1)
        for rule in seccomp.get("syscalls") or ():
            _add(compiler, rule, default, newest)
        program = compiler.export()
    if default & 0xFFFF0000 != libseccomp.ERRNO or default & 0xFFFF == _ENOSYS:
        return program
    return unknown_calls(newest) + program


def _action(name: str, number: "int | None") -> int:
    if name == "SCMP_ACT_NOTIFY":
        raise FilterError("the seccomp action SCMP_ACT_NOTIFY is not supported")
    if name not in _ACTIONS:
        raise FilterError(f"invalid seccomp action: {name}")
    action = _ACTIONS[name]
    return action | (_EPERM if number is None else number & 0xFFFF) if name in _WITH_NUMBER else action


def _architecture(name: str) -> str:
    if not name.startswith("SCMP_ARCH_"):
        raise FilterError(f"invalid seccomp architecture: {name}")
    return name.removeprefix("SCMP_ARCH_").lower()


def _add(compiler: libseccomp.Compiler, rule: "Mapping[str, Any]", default: int, newest: "dict[str, int]") -> None:
    action = _action(rule["action"], rule.get("errnoRet"))
    alternatives = _conditions(rule.get("args") or [])
    for name in rule["names"]:
        for architecture in newest:
            newest[architecture] = max(newest[architecture], compiler.number(name, architecture))
        # A rule that says what the default says is an error to the library, and nothing to us.
        if action == default:
            continue
        for comparisons in alternatives:
            compiler.add_rule(action, name, comparisons)


def _conditions(arguments: "list[Mapping[str, Any]]") -> "list[list[tuple[int, int, int, int]]]":
    """Return the sets of comparisons, one rule each: all of a set must hold, any set will do.

    libseccomp takes one comparison an argument; where the profile has two of one argument they are alternatives, as
    runc reads them.
    """
    comparisons = []
    for argument in arguments:
        if argument["op"] not in _OPERATORS:
            raise FilterError(f"invalid seccomp operator: {argument['op']}")
        comparisons.append((argument["index"], _OPERATORS[argument["op"]], argument["value"], argument.get("valueTwo", 0)))
    indices = [comparison[0] for comparison in comparisons]
    if len(set(indices)) < len(indices):
        return [[comparison] for comparison in comparisons]
    return [comparisons]


def unknown_calls(newest: "Mapping[str, int]") -> bytes:
    """Return BPF that answers ENOSYS to calls newer than any the profile names, and falls through otherwise.

    With EPERM programs would not fall back to older calls (runc's libcontainer/seccomp/patchbpf tells the story).
    """
    code: list[bytes] = [_load(4)]
    for audit, tests in _by_audit(newest).items():
        # On another architecture jump over the tests and the load of the number.
        code += [_jump(0x15, audit, 0, len(tests) + 1), _load(0), *tests]
        code.append(_load(4))
    return b"".join(code)


def _by_audit(newest: "Mapping[str, int]") -> "dict[int, list[bytes]]":
    refuse = struct.pack("<HBBI", 0x06, 0, 0, libseccomp.ERRNO | _ENOSYS)
    groups: dict[int, list[bytes]] = {}
    for architecture, last in newest.items():
        if last < 0 or architecture not in _AUDIT:
            continue
        tests = [_jump(0x25, last, 0, 1), refuse]
        if architecture == "x86_64":
            # x32 calls carry the same architecture and a bit in their number.
            x32 = newest.get("x32", -1)
            bound = [_jump(0x25, x32 | _X32_BIT, 0, 1), refuse] if x32 >= 0 else []
            tests = [_jump(0x35, _X32_BIT, 2, 0), *tests, *bound]
        groups[_AUDIT[architecture]] = tests
    return groups


def _load(offset: int) -> bytes:
    return struct.pack("<HBBI", 0x20, 0, 0, offset)


def _jump(opcode: int, value: int, true: int, false: int) -> bytes:
    return struct.pack("<HBBI", opcode, true, false, value)
