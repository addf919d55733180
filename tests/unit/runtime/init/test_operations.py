"""Operations against the recording kernel."""

import os
from pathlib import Path

import pytest

from argosy.linux.fake import Recorder, recording
from argosy.runtime.init.context import Context
from argosy.runtime.init.gate import Gate, pair
from argosy.runtime.init.operations import KINDS, build


def context(root: int = -1) -> Context:
    return Context(Gate(pair()[1]), root)


def test_every_kind_can_say_what_it_will_do() -> None:
    samples: dict[str, dict[str, object]] = {
        "propagation": {"path": "/", "flag": 1},
        "attach_root": {"point": "/"},
        "filesystem": {"kind": "proc", "to": "/proc"},
        "bind": {"index": 0, "to": "/data", "source": "/srv"},
        "legacy_cgroups": {"to": "/sys/fs/cgroup", "attributes": 1, "hierarchies": []},
        "device": {"to": "/dev/null", "mode": 0o20666, "major": 1, "minor": 3},
        "link": {"to": "/dev/fd", "target": "/proc/self/fd"},
        "mask": {"paths": ["/proc/kcore"]},
        "read_only": {"paths": ["/proc/sys"]},
        "sysctl": {"name": "net/ipv4/ip_forward", "value": "1"},
        "working_directory": {"path": "/srv"},
        "make_directory": {"path": "/srv"},
        "await": {"word": "j"},
        "hostname": {"name": "h"},
        "domainname": {"name": "d"},
        "keyring": {"name": "_ses"},
        "limit": {"name": "RLIMIT_NOFILE", "resource": 7, "soft": 1, "hard": 2},
        "personality": {"persona": 8},
        "scheduler": {"policy": 0, "flags": 0, "nice": 0, "priority": 0, "times": [0, 0, 0]},
        "user": {"lookup": True, "name": "bob"},
    }
    for operation in build([(name, samples.get(name, {})) for name in KINDS]):
        assert operation.describe()
        assert operation.stage


def test_text_is_bytes_before_the_container_is_entered() -> None:
    (operation,) = build([("hostname", {"name": "hö\udcff"})])
    assert operation.name == "hö".encode() + b"\xff"  # type: ignore[attr-defined]


def test_the_old_root_is_private_before_it_is_let_go() -> None:
    with recording() as kernel:
        here = os.open(".", os.O_RDONLY)
        (pivot,) = build([("pivot", {})])
        before = os.getcwd()
        pivot.execute(context(here))
        os.chdir(before)
        os.close(here)
    assert kernel.names() == ["pivot_root", "mount", "umount2"]


def test_a_null_device_that_is_something_else_is_never_used(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/null").symlink_to("/etc/shadow")
    root = os.open(tmp_path, os.O_PATH)
    with pytest.raises(OSError):
        _null_with_links_refused(root)
    (tmp_path / "dev/null").unlink()
    (tmp_path / "dev/null").write_text("not a device")
    with pytest.raises(ValueError, match="not the null device"):
        context(root).null()
    os.close(root)


def _null_with_links_refused(root: int) -> None:
    try:
        context(root).null()
    except ValueError as error:  # O_PATH | O_NOFOLLOW opens the link itself, which is no device either
        raise OSError(str(error)) from error


def test_masked_directories_share_one_empty_file_system(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    root = os.open(tmp_path, os.O_PATH)
    (mask,) = build([("mask", {"paths": ["/a", "/b"]})])
    with recording() as kernel:
        _answer_paths(kernel, tmp_path)
        kernel.answers["open_tree"] = lambda args: os.open(tmp_path, os.O_PATH)
        kernel.answers["fsopen"] = kernel.answers["fsmount"] = kernel.answers["open_tree"]
        mask.execute(context(root))
    os.close(root)
    assert kernel.names().count("fsmount") == 1
    assert kernel.names().count("move_mount") == 2


def _answer_paths(kernel: Recorder, base: Path) -> None:
    def openat2(args: tuple[object, ...]) -> int:
        path = args[1]
        assert isinstance(path, bytes)
        return os.open(os.path.join(bytes(base), path), os.O_PATH)

    kernel.answers["openat2"] = openat2
