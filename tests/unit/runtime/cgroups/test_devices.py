"""The device program, run by a small interpreter of the instructions it uses."""

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.cgroups.devices import legacy_rules, program
from argosy.runtime.compile.cgroup import DEFAULT_DEVICES

BLOCK, CHAR = 1, 2
ACCESS = {"m": 1, "r": 2, "w": 4}


def allowed(code: bytes, kind: int, access: int, major: int, minor: int) -> bool:
    context = {0: access << 16 | kind, 4: major, 8: minor}
    registers = [0] * 11
    position = 0
    while True:
        opcode, regs, offset, imm = struct.unpack_from("<BBhi", code, position * 8)
        target, source = regs & 15, regs >> 4
        position += 1
        if opcode == 0x61:
            registers[target] = context[offset]
        elif opcode == 0xBC:
            registers[target] = registers[source]
        elif opcode == 0x54:
            registers[target] &= imm
        elif opcode == 0x74:
            registers[target] >>= imm
        elif opcode == 0xB4:
            registers[target] = imm
        elif opcode == 0x55:
            position += offset if registers[target] != imm else 0
        elif opcode == 0x15:
            position += offset if registers[target] == imm else 0
        elif opcode == 0x5D:
            position += offset if registers[target] != registers[source] else 0
        elif opcode == 0x95:
            return bool(registers[0])
        else:
            raise AssertionError(hex(opcode))


def expected(rules: list[dict[str, Any]], kind: int, access: int, major: int, minor: int) -> bool:
    """The rules read from the last to the first, as a person would."""
    for rule in reversed(rules):
        rule_access = sum(ACCESS[letter] for letter in set(rule.get("access") or "rwm"))
        if rule.get("type", "a") != "a":
            if kind != (BLOCK if rule["type"] == "b" else CHAR):
                continue
            if any(
                wanted is not None and wanted >= 0 and wanted != have
                for wanted, have in ((rule.get("major"), major), (rule.get("minor"), minor))
            ):
                continue
        if rule["allow"] and access & rule_access == access:
            return True
        if not rule["allow"] and access & rule_access:
            return False
    return False


RULES = st.fixed_dictionaries(
    {"allow": st.booleans(), "access": st.sampled_from(["r", "w", "m", "rw", "rwm", "wm"])},
    optional={"type": st.sampled_from(["a", "b", "c"]), "major": st.integers(-1, 3), "minor": st.integers(-1, 3)},
)


@given(st.lists(RULES, max_size=6), st.sampled_from([BLOCK, CHAR]), st.integers(1, 7), st.integers(0, 3), st.integers(0, 3))
def test_the_program_decides_as_the_rules_do(rules: list[dict[str, Any]], kind: int, access: int, major: int, minor: int) -> None:
    assert allowed(program(rules), kind, access, major, minor) == expected(rules, kind, access, major, minor)


def test_the_default_rules_open_null_and_close_the_disk() -> None:
    code = program([{"allow": False, "access": "rwm"}, *DEFAULT_DEVICES])
    assert allowed(code, CHAR, 2 | 4, 1, 3)
    assert allowed(code, BLOCK, 1, 8, 0)
    assert not allowed(code, BLOCK, 2, 8, 0)


def test_v1_lines_keep_the_order() -> None:
    rules = [{"allow": False}, {"allow": True, "type": "c", "major": 1, "minor": -1, "access": "rw"}, {"allow": True, "type": "a"}]
    assert legacy_rules(rules[:2]) == [("devices.deny", "a"), ("devices.allow", "c 1:* rw")]
    assert legacy_rules([*rules[:2], rules[1]]) == legacy_rules(rules[:2])
    assert legacy_rules(rules) == [("devices.allow", "a")]
