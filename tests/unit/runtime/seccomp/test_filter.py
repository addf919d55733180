"""The compiled default, asked like the kernel asks it. Numbers are x86-64's."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from argosy.linux.libseccomp import version
from argosy.runtime.seccomp import compiled, resolve
from argosy.runtime.seccomp.cache import cache_key
from argosy.runtime.seccomp.compiler import FilterError, compile_filter

_spec = importlib.util.spec_from_file_location("seccomp_bpf", Path(__file__).with_name("bpf.py"))
assert _spec is not None and _spec.loader is not None
bpf = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bpf)

pytestmark = pytest.mark.skipif(not version() or os.uname().machine != "x86_64", reason="needs libseccomp on x86-64")

READ, SOCKET, CLONE, UNSHARE, MOUNT, PERSONALITY, CLONE3, PTRACE, ARCH_PRCTL, KEYCTL, IO_URING = (
    0,
    41,
    56,
    272,
    165,
    135,
    435,
    101,
    158,
    250,
    425,
)
EPERM, ENOSYS = bpf.ERRNO | 1, bpf.ERRNO | 38


def default(*capabilities: str) -> dict[str, Any]:
    resolved = resolve(None, capabilities=capabilities, machine="x86_64", kernel=(6, 1))
    assert resolved is not None
    return resolved


@pytest.fixture(scope="module")
def plain() -> bytes:
    return compile_filter(default("CAP_CHOWN"))


@pytest.fixture(scope="module")
def admin() -> bytes:
    return compile_filter(default("CAP_SYS_ADMIN"))


def test_ordinary_programs_are_not_hindered(plain: bytes) -> None:
    for number in (READ, ARCH_PRCTL, PTRACE):
        assert bpf.decide(plain, number) == bpf.ALLOW


def test_what_reaches_past_the_container_is_refused(plain: bytes) -> None:
    for number in (UNSHARE, MOUNT, KEYCTL, IO_URING):
        assert bpf.decide(plain, number) == EPERM


def test_threads_are_allowed_and_new_namespaces_are_not(plain: bytes) -> None:
    assert bpf.decide(plain, CLONE, 0x3D0F00) == bpf.ALLOW
    assert bpf.decide(plain, CLONE, 0x10000000) == EPERM
    assert bpf.decide(plain, CLONE3) == ENOSYS


def test_vsock_is_refused_and_other_sockets_are_not(plain: bytes) -> None:
    assert bpf.decide(plain, SOCKET, 2) == bpf.ALLOW
    assert bpf.decide(plain, SOCKET, 40) == EPERM


@pytest.mark.parametrize(("persona", "allowed"), [(0, True), (8, True), (0x20008, True), (0xFFFFFFFF, True), (0x40000, False)])
def test_only_harmless_personalities(plain: bytes, persona: int, allowed: bool) -> None:
    assert (bpf.decide(plain, PERSONALITY, persona) == bpf.ALLOW) is allowed


def test_a_capability_opens_what_it_is_for(admin: bytes) -> None:
    for number in (UNSHARE, MOUNT, CLONE3):
        assert bpf.decide(admin, number) == bpf.ALLOW
    assert bpf.decide(admin, CLONE, 0x10000000) == bpf.ALLOW


def test_calls_newer_than_the_profile_do_not_exist(plain: bytes) -> None:
    assert bpf.decide(plain, 5000) == ENOSYS
    assert bpf.decide(plain, 5000, arch=bpf.X86) == ENOSYS
    assert bpf.decide(plain, 0x40000000 | 5000) == ENOSYS


def test_the_other_calling_conventions_are_filtered_too(plain: bytes) -> None:
    assert bpf.decide(plain, 3, arch=bpf.X86) == bpf.ALLOW  # read
    assert bpf.decide(plain, 310, arch=bpf.X86) == EPERM  # unshare
    assert bpf.decide(plain, 0x40000000) == bpf.ALLOW  # x32 read
    assert bpf.decide(plain, 0x40000000 | UNSHARE) == EPERM


def test_two_comparisons_of_one_argument_are_alternatives() -> None:
    rule = {
        "names": ["personality"],
        "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}],
    }
    program = compile_filter({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [rule]})
    assert [bpf.decide(program, PERSONALITY, value) == bpf.ALLOW for value in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    "seccomp",
    [
        {"defaultAction": "SCMP_ACT_NOPE"},
        {"defaultAction": "SCMP_ACT_NOTIFY"},
        {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]},
        {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 0, "op": "LIKE"}]}],
        },
    ],
)
def test_what_cannot_be_compiled_is_refused(seccomp: dict[str, Any]) -> None:
    with pytest.raises(FilterError):
        compile_filter(seccomp)


def test_a_compiled_filter_is_kept_and_a_tampered_one_is_not_used(tmp_path: Path) -> None:
    rules: dict[str, Any] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}
    program = compiled(rules, cache_dir=str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert file.name == cache_key(rules) + ".bpf"
    assert file.stat().st_mode & 0o777 == 0o600
    from argosy.runtime.seccomp import cache

    for spoil in (lambda: file.chmod(0o644), lambda: file.write_bytes(b"\0" * 40), lambda: file.unlink()):
        spoil()
        cache._memory.clear()
        assert compiled(rules, cache_dir=str(tmp_path)) == program


def test_no_rules_are_no_filter(tmp_path: Path) -> None:
    assert compiled(None, cache_dir=str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
