"""Devices that vendors describe: found in files, asked for by name, put into the OCI configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.base.errors import SystemFailureError
from argosy.engine.cdi import Registry, inject, is_qualified, load, requested
from argosy.engine.model import Device, DeviceRequest, HostConfig

FILE: dict[str, Any] = {
    "cdiVersion": "0.6.0",
    "kind": "vendor.com/thing",
    "containerEdits": {"env": ["COMMON=1"]},
    "devices": [
        {
            "name": "one",
            "containerEdits": {
                "env": ["THING=one", "PATH=/thing"],
                "deviceNodes": [{"path": "/dev/thing", "hostPath": "/dev/null", "permissions": "rw", "uid": 7}],
                "mounts": [{"hostPath": "/host/lib", "containerPath": "/lib/thing", "options": ["ro", "nosuid"]}],
                "additionalGids": [44],
            },
        },
        {"name": "two", "containerEdits": {"deviceNodes": [{"path": "/dev/two", "type": "b", "major": 8, "minor": 1, "fileMode": 384}]}},
        {"name": "hooked", "containerEdits": {"hooks": [{"hookName": "createContainer", "path": "/bin/hook", "args": ["hook", "x"]}]}},
    ],
}
SPEC: Any = {
    "process": {"env": ["PATH=/bin", "A=1"], "user": {"username": "", "additionalGroups": ["10"]}},
    "mounts": [{"destination": "/lib/thing", "type": "tmpfs"}, {"destination": "/proc", "type": "proc"}],
    "linux": {"devices": [], "resources": {"devices": [{"allow": False}]}},
}


def listed(path: str) -> list[dict[str, Any]]:
    return [{"path": path, "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 0, "gid": 0}]


def write(folder: Path, name: str, content: object) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return str(folder)


def put(registry: Registry, *names: str, runs_hooks: bool = False) -> Any:
    return inject(SPEC, names, registry, lister=listed, runs_hooks=runs_hooks)


@pytest.mark.parametrize(
    ("text", "qualified"),
    [
        ("vendor.com/class=name", True),
        ("nvidia.com/gpu=0:1", True),
        ("/dev/null", False),
        ("vendor.com/class", False),
        ("vendor/class=-x", False),
        ("/vendor/class=x", False),
        ("1vendor/class=x", False),
    ],
)
def test_a_device_is_told_from_a_path(text: str, qualified: bool) -> None:
    assert is_qualified(text) is qualified


def test_a_device_brings_nodes_mounts_variables_and_groups(tmp_path: Path) -> None:
    built = put(load([write(tmp_path / "etc", "thing.json", FILE)]), "vendor.com/thing=one", "vendor.com/thing=two")
    assert built["process"]["env"] == ["A=1", "COMMON=1", "THING=one", "PATH=/thing"]
    assert built["process"]["user"]["additionalGroups"] == ["10", "44"]
    assert built["linux"]["devices"] == [
        {"path": "/dev/thing", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 7, "gid": 0},
        {"path": "/dev/two", "type": "b", "major": 8, "minor": 1, "fileMode": 384, "uid": 0, "gid": 0},
    ]
    assert built["linux"]["resources"]["devices"] == [
        {"allow": False},
        {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"},
        {"allow": True, "type": "b", "major": 8, "minor": 1, "access": "rwm"},
    ]
    assert built["mounts"] == [
        {"destination": "/proc", "type": "proc"},
        {"destination": "/lib/thing", "type": "bind", "source": "/host/lib", "options": ["ro", "nosuid", "rbind"]},
    ]
    assert SPEC["linux"]["devices"] == [] and SPEC["process"]["env"] == ["PATH=/bin", "A=1"]


def test_yaml_is_read_too_and_a_later_directory_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "etc", "a.json", FILE)
    text = "cdiVersion: 0.5.0\nkind: vendor.com/thing\ndevices:\n- name: one\n  containerEdits:\n    env: [THING=other]\n"
    registry = load([first, write(tmp_path / "run", "b.yaml", text), str(tmp_path / "absent")])
    assert sorted(registry.devices) == ["vendor.com/thing=hooked", "vendor.com/thing=one", "vendor.com/thing=two"]
    assert "THING=other" in put(registry, "vendor.com/thing=one")["process"]["env"]
    assert registry.errors == []


def test_two_of_a_name_in_one_directory_are_neither(tmp_path: Path) -> None:
    folder = write(tmp_path, "a.json", FILE)
    write(tmp_path, "b.json", FILE)
    registry = load([folder])
    assert registry.devices == {}
    assert registry.errors[0].startswith("conflicting device vendor.com/thing=one")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "{"), ("a.yaml", "a: [b"), ("a.json", '{"kind": 1}'), ("a.json", '{"cdiVersion":"1","kind":"no kind","devices":[]}')],
)
def test_a_file_that_cannot_be_read_costs_only_its_own_devices(tmp_path: Path, name: str, text: str) -> None:
    folder = write(tmp_path, name, text)
    write(tmp_path, "good.json", FILE)
    registry = load([folder])
    assert len(registry.devices) == 3
    assert registry.errors[0].startswith(f"failed to load CDI Spec {tmp_path}/{name}: ")


def test_what_no_file_gives_is_refused_in_dockers_words() -> None:
    with pytest.raises(SystemFailureError) as caught:
        put(Registry(), "vendor.com/thing=one")
    assert str(caught.value) == "CDI device injection failed: unresolvable CDI devices vendor.com/thing=one"


def test_hooks_need_a_runtime_that_runs_them(tmp_path: Path) -> None:
    registry = load([write(tmp_path, "a.json", FILE)])
    with pytest.raises(SystemFailureError, match=r"has a createContainer hook, /bin/hook, .* use --runtime runc"):
        put(registry, "vendor.com/thing=hooked")
    hooks = put(registry, "vendor.com/thing=hooked", runs_hooks=True)["hooks"]
    assert hooks == {"createContainer": [{"path": "/bin/hook", "args": ["hook", "x"], "env": []}]}


def test_devices_are_asked_for_in_two_ways() -> None:
    host = HostConfig(
        devices=(Device("/dev/null"), Device("vendor.com/thing=one")),
        device_requests=(DeviceRequest(driver="cdi", device_ids=("vendor.com/thing=two",)),),
    )
    assert requested(host) == ["vendor.com/thing=one", "vendor.com/thing=two"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (DeviceRequest(count=-1, capabilities=(("gpu",),)), 'could not select device driver "" with capabilities: [[gpu]]'),
        (DeviceRequest(driver="x", capabilities=(("a", "b"), ("c",))), 'could not select device driver "x" with capabilities: [[a b] [c]]'),
        (DeviceRequest(), 'could not select device driver "" with capabilities: []'),
    ],
)
def test_requests_that_nobody_serves_are_refused_in_dockers_words(request_: DeviceRequest, words: str) -> None:
    with pytest.raises(SystemFailureError) as caught:
        requested(HostConfig(device_requests=(request_,)))
    assert str(caught.value) == words
