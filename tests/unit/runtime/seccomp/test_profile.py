from typing import Any

import pytest

from argosy.runtime.seccomp import ProfileError, load_profile, resolve
from argosy.runtime.seccomp.default import default_profile


def resolved(profile: dict[str, Any], *capabilities: str, machine: str = "x86_64", kernel: tuple[int, int] = (6, 1)) -> Any:
    return resolve(profile, capabilities=capabilities, machine=machine, kernel=kernel)


def rule(**fields: Any) -> dict[str, Any]:
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW", **fields}]}


@pytest.mark.parametrize(
    ("fields", "capabilities", "applies"),
    [
        ({}, (), True),
        ({"includes": {"caps": ["CAP_SYS_ADMIN"]}}, (), False),
        ({"includes": {"caps": ["CAP_SYS_ADMIN"]}}, ("CAP_SYS_ADMIN",), True),
        ({"excludes": {"caps": ["CAP_SYS_ADMIN"]}}, ("CAP_SYS_ADMIN",), False),
        ({"includes": {"arches": ["arm64"]}}, (), False),
        ({"includes": {"arches": ["amd64"]}}, (), True),
        ({"excludes": {"arches": ["amd64"]}}, (), False),
        ({"includes": {"minKernel": "6.2"}}, (), False),
        ({"includes": {"minKernel": "4.8"}}, (), True),
        ({"excludes": {"minKernel": "4.8"}}, (), False),
    ],
)
def test_conditions(fields: dict[str, Any], capabilities: tuple[str, ...], applies: bool) -> None:
    assert bool(resolved(rule(**fields), *capabilities)["syscalls"]) is applies


def test_architectures_follow_the_machine() -> None:
    default = default_profile()
    assert resolved(default)["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    assert resolved(default, machine="aarch64")["architectures"] == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]


def test_an_empty_profile_is_no_filter() -> None:
    assert resolved({}) is None


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (
            {**rule(), "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]},
            "both 'architectures' and 'archMap'",
        ),
        (rule(name="read"), "both 'name' and 'names'"),
        (rule(includes={"minKernel": "new"}), "invalid kernel version"),
    ],
)
def test_contradictions_are_refused_in_dockers_words(profile: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        resolved(profile)


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_what_is_no_profile_is_said(text: str) -> None:
    with pytest.raises(ProfileError, match="Decoding seccomp profile failed"):
        load_profile(text)


def test_no_call_stands_twice_in_the_default() -> None:
    names = default_profile()["syscalls"][0]["names"]
    assert len(names) == len(set(names))
