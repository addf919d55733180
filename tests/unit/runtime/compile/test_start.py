import json
from typing import Any

import pytest

from argosy.runtime.compile import HostFacts, PlanError, compile_exec, compile_start, exec_part
from argosy.runtime.model import Tree
from argosy.storage.model import Directory, Overlay

HOST = HostFacts(kernel=(6, 1), cgroup_mounts={"memory": "/sys/fs/cgroup/memory"}, unified="")
V2 = HostFacts(kernel=(6, 1), unified="/sys/fs/cgroup", unified_controllers=["memory"])
ROOT = Overlay(lower=("/l/2", "/l/1"), upper="/u", work="/w")
NAMESPACES = [{"type": kind} for kind in ("mount", "pid", "uts", "ipc", "network")]
MAPS = [{"containerID": 0, "hostID": 100000, "size": 65536}]


def spec(**changes: Any) -> Any:
    base: dict[str, Any] = {
        "ociVersion": "1.2.0",
        "process": {"args": ["sh"], "env": ["PATH=/bin", "A=b=c"], "cwd": "/"},
        "linux": {"namespaces": list(NAMESPACES), "cgroupsPath": "/argosy/x"},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        ],
    }
    for key, value in changes.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and key in base else value
    return base


def plan(host: HostFacts = HOST, rootfs: Any = ROOT, **changes: Any) -> dict[str, Any]:
    options = {key: changes.pop(key) for key in ("join", "init", "bpf", "systemd_cgroup", "trees") if key in changes}
    return compile_start(spec(**changes), rootfs, container_id="c1", host=host, **options)


def steps(compiled: dict[str, Any]) -> list[str]:
    return [name for name, _ in compiled["steps"]]


def test_a_plan_is_plain_json() -> None:
    compiled = plan(bpf=b"\0" * 16)
    assert json.loads(json.dumps(compiled)) == json.loads(json.dumps(json.loads(json.dumps(compiled))))
    assert compiled["environment"] == {"PATH": "/bin", "A": "b=c"}


def test_nothing_is_mounted_after_the_root_is_closed() -> None:
    order = steps(plan(linux={"readonlyPaths": ["/proc/sys"], "maskedPaths": ["/proc/kcore"]}, root={"readonly": True}))
    for early in ("filesystem", "device", "link"):
        assert order.index(early) < order.index("read_only") < order.index("mask") < order.index("root_readonly") < order.index("pivot")


def test_the_cgroup_is_mounted_after_the_join_and_the_namespace() -> None:
    compiled = plan(
        V2,
        linux={"namespaces": [*NAMESPACES, {"type": "cgroup"}]},
        mounts=[{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}],
    )
    order = steps(compiled)
    assert order.index("await") < order.index("new_cgroup_namespace") < order.index("filesystem")
    assert compiled["steps"][order.index("filesystem")][1]["kind"] == "cgroup2"


def test_without_a_cgroup_namespace_the_containers_own_directories_are_bound() -> None:
    mounts = [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}]
    assert [bind["source"] for bind in plan(HOST, mounts=mounts)["binds"]] == ["/sys/fs/cgroup/memory/argosy/x"]
    assert [bind["source"] for bind in plan(V2, mounts=mounts)["binds"]] == ["/sys/fs/cgroup/argosy/x"]


def test_a_user_namespace_waits_for_its_maps_and_binds_its_devices() -> None:
    compiled = plan(linux={"namespaces": [*NAMESPACES, {"type": "user"}], "uidMappings": MAPS, "gidMappings": MAPS})
    assert steps(compiled)[:2] == ["await", "map_root"]
    assert compiled["uid_map"] == [[0, 100000, 65536]]
    assert all(fields["index"] >= 0 for name, fields in compiled["steps"] if name == "device")


def test_joined_namespaces_are_not_made() -> None:
    compiled = plan(join={"network": 42, "ipc": 43})
    assert compiled["join"] == {"network": "/proc/42/ns/net", "ipc": "/proc/43/ns/ipc"}
    assert compiled["namespaces"] == ["mount", "pid", "uts"]


def test_a_namespace_by_path_is_joined() -> None:
    joined = [{"type": "network", "path": "/run/netns/x"}, {"type": "mount"}]
    assert plan(linux={"namespaces": joined})["join"] == {"network": "/run/netns/x"}


def test_relative_destinations_start_at_the_root() -> None:
    compiled = plan(mounts=[{"destination": "data", "type": "tmpfs"}, {"destination": "//a/../b", "type": "tmpfs"}])
    assert [fields["to"] for name, fields in compiled["steps"] if name == "filesystem"] == ["/data", "/b"]


def test_a_bind_mount_shows_a_tree_in_place_of_a_path_of_the_host() -> None:
    bind = {"destination": "/x/", "type": "bind", "source": "sha256:1", "options": ["rbind", "rro"]}
    mapped = {**bind, "destination": "/y", "uidMappings": MAPS, "gidMappings": MAPS}
    trees = {"/x/": Tree(Overlay(("/l/2", "/l/1")), "part", "sha256:1"), "/y": Tree(Directory("/vfs"), name="sha256:2")}
    first, second = plan(mounts=[bind, mapped], trees=trees)["binds"]
    assert (first["source"], first["tree"]["lower"], first["tree"]["subpath"], first["tree"]["uid_map"]) == (
        "sha256:1",
        ["/l/2", "/l/1"],
        "part",
        [],
    )
    assert (second["tree"]["path"], second["tree"]["subpath"], second["tree"]["uid_map"]) == ("/vfs", "", [[0, 100000, 65536]])
    with pytest.raises(PlanError, match="there is no bind mount at /z"):
        plan(mounts=[bind], trees={"/z": trees["/y"]})


def test_a_directory_root_is_kept_as_one() -> None:
    assert plan(rootfs=Directory("/vfs/x"))["root"] == {"kind": "directory", "path": "/vfs/x", "uid_map": [], "gid_map": []}


def test_the_root_is_mapped_as_the_user_namespace_is_unless_a_bundles_owner_has_done_it() -> None:
    linux = {"namespaces": [*NAMESPACES, {"type": "user"}], "uidMappings": MAPS, "gidMappings": MAPS}
    root = plan(rootfs=Directory("/vfs/x"), linux=linux)["root"]
    assert (root["uid_map"], root["gid_map"]) == ([[0, 100000, 65536]], [[0, 100000, 65536]])
    assert plan(rootfs=Overlay(("/l",), "/u", "/w"), linux=linux)["root"]["uid_map"] == [[0, 100000, 65536]]

    class Bundle:
        path, map = "/bundle/rootfs", False

    assert plan(rootfs=Bundle(), linux=linux)["root"]["uid_map"] == []


def test_in_a_user_namespace_the_root_is_not_attached_where_it_lies_for_the_way_there_may_be_closed() -> None:
    linux = {"namespaces": [*NAMESPACES, {"type": "user"}], "uidMappings": MAPS, "gidMappings": MAPS}
    points = [dict(plan(rootfs=Directory("/vfs/x"), **more)["steps"])["attach_root"] for more in ({}, {"linux": linux})]
    assert points == [{"point": "/vfs/x"}, {"point": "/"}]


def test_devices_of_the_specification_replace_the_usual_node() -> None:
    compiled = plan(linux={"devices": [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600}]})
    nodes = {fields["to"]: fields["mode"] for name, fields in compiled["steps"] if name == "device"}
    assert nodes["/dev/null"] == 0o020600
    assert len(nodes) == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"process": {"args": []}}, "process.args must not be empty"),
        ({"process": {"cwd": "bin"}}, "Cwd must be an absolute path"),
        ({"process": {"env": ["=x"]}}, "invalid environment variable"),
        ({"process": {"args": ["a\0b"]}}, "must not contain NUL"),
        ({"process": {"capabilities": {"bounding": ["CAP_NOPE"]}}}, "unknown capability CAP_NOPE"),
        ({"process": {"rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}}, "unknown resource limit RLIMIT_X"),
        ({"process": {"scheduler": {"policy": "SCHED_NOPE"}}}, "invalid scheduler policy"),
        ({"linux": {"namespaces": [{"type": "pid"}]}}, "needs a mount namespace"),
        ({"linux": {"namespaces": [*NAMESPACES, {"type": "pid"}]}}, "named twice"),
        ({"linux": {"namespaces": [*NAMESPACES, {"type": "user"}]}}, "needs uidMappings"),
        ({"linux": {"cgroupsPath": "/"}}, "root cgroup"),
        ({"linux": {"rootfsPropagation": "odd"}}, "rootfsPropagation=odd is not supported"),
        ({"linux": {"devices": [{"path": "/dev/x", "type": "z"}]}}, "unknown type"),
        ({"linux": {"seccomp": {"flags": ["NOPE"]}}}, "invalid seccomp flag"),
        ({"linux": {"namespaces": [{"type": "mount"}]}, "hostname": "h"}, "without a private UTS namespace"),
        ({"mounts": [{"destination": "/", "type": "tmpfs"}]}, "would hide the root"),
        ({"mounts": [{"destination": "/x", "type": "bind"}]}, "has no source"),
    ],
)
def test_a_specification_that_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan(**changes)


def test_ambient_capabilities_are_cut_to_what_the_kernel_takes() -> None:
    sets = {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL", "CAP_CHOWN"]}
    assert plan(process={"capabilities": sets})["rights"]["ambient"] == 1 << 5


def test_systemd_names_become_unit_and_path() -> None:
    compiled = plan(linux={"cgroupsPath": "user-1000.slice:argosy:c1"}, systemd_cgroup=True)
    assert compiled["cgroup"]["unit"] == "argosy-c1.scope"
    assert compiled["cgroup"]["path"] == "/user.slice/user-1000.slice/argosy-c1.scope"
    with pytest.raises(PlanError, match='expected cgroupsPath to be of format "slice:prefix:name"'):
        plan(linux={"cgroupsPath": "/argosy/x"}, systemd_cgroup=True)


def test_an_exec_takes_over_what_binds_the_container() -> None:
    start = plan(bpf=b"\0" * 8, process={"noNewPrivileges": True, "oomScoreAdj": 7}, join={"network": 9})
    compiled = compile_exec({"args": ["id"], "cwd": "/", "terminal": True}, start, exec_id="e1", console_size=(24, 80))
    assert compiled["bpf"] == start["bpf"]
    assert compiled["rights"]["no_new_privileges"] is True
    assert compiled["oom_score_adj"] == 7
    assert compiled["namespaces"] == ["ipc", "mount", "network", "pid", "uts"]
    assert compiled["steps"][0] == ("terminal", {"rows": 24, "columns": 80, "console": False})


def test_an_exec_needs_only_its_part_of_the_start() -> None:
    start = plan(bpf=b"\0" * 16)
    process = {"args": ["id"], "cwd": "/"}
    kept = exec_part(start)
    assert compile_exec(process, kept, exec_id="e") == compile_exec(process, start, exec_id="e")
    assert not {"steps", "environment", "binds"} & kept.keys()
