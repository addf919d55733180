"""User namespaces, and joining those of others."""

import os
import stat
from typing import Any

import pytest

MAPS = [{"containerID": 0, "hostID": 100000, "size": 65536}]
ALL = [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc", "cgroup")]
MAPPED = {"namespaces": [*ALL, {"type": "user"}], "uidMappings": MAPS, "gidMappings": MAPS}


def test_root_of_a_user_namespace_owns_the_image_and_nothing_of_the_host(low: Any) -> None:
    shown = low.sh("stat -c %u /bin /etc/passwd; id -u; touch /made; cat /proc/self/uid_map", linux=MAPPED)
    assert shown.split() == ["0", "0", "0", "0", "100000", "65536"]
    assert (low.root / "etc/passwd").stat().st_uid == 0


def test_an_upper_layer_holds_the_containers_ids(low: Any) -> None:
    script = "mkdir /d && touch /made /d/f && chown 33:34 /d/f && chown 5:6 /etc/passwd && rmdir /tmp && mkdir /tmp && rm /bin/true"
    low.sh(script, linux=MAPPED)
    (upper,) = (path.parent for path in low.scratch.glob("upper*/made"))
    owners = {name: (upper / name).lstat() for name in ("made", "d", "d/f", "etc/passwd", "bin/true", "tmp")}
    assert {name: (found.st_uid, found.st_gid) for name, found in owners.items()} == {
        "made": (0, 0), "d": (0, 0), "d/f": (33, 34), "etc/passwd": (5, 6), "bin/true": (0, 0), "tmp": (0, 0),
    }  # fmt: skip
    assert stat.S_ISCHR(owners["bin/true"].st_mode) and owners["bin/true"].st_rdev == 0
    assert os.getxattr(upper / "tmp", "trusted.overlay.opaque") == b"y"


def test_layers_are_mapped_also_without_lowerdir_plus(low: Any) -> None:
    low.host.lowerdir_plus = False
    assert low.sh("stat -c %u /bin; id -u", linux=MAPPED).split() == ["0", "0"]


def test_a_mapped_bind_shows_the_containers_owner(low: Any) -> None:
    source = low.scratch / "source"
    source.mkdir()
    mount = {
        "destination": "/data",
        "type": "bind",
        "source": str(source),
        "options": ["rbind", "idmap"],
        "uidMappings": MAPS,
        "gidMappings": MAPS,
    }
    assert low.sh("stat -c %u /data; touch /data/x; stat -c %u /data/x", linux=MAPPED, mounts=[*low.spec()["mounts"], mount]).split() == [
        "0",
        "0",
    ]
    assert (source / "x").stat().st_uid == 0


def test_an_exec_enters_the_user_namespace(low: Any) -> None:
    plan = low.plan("sleep", "60", linux=MAPPED)
    result = low.run_all(plan, execs=[low.spec("sh", "-c", "id -u; cat /proc/self/uid_map")["process"]], kill=True)["results"][1]
    assert result["stdout"].split() == ["0", "0", "100000", "65536"]


@pytest.mark.parametrize("linux", [{}, {"linux": MAPPED}], ids=["root", "mapped"])
def test_a_new_network_has_its_loopback_up(low: Any, linux: dict[str, Any]) -> None:
    assert low.sh("cat /sys/class/net/lo/operstate; ping -c 1 -W 5 127.0.0.1 >/dev/null && echo answers", **linux).split()[-1] == "answers"


def without(*kinds: str) -> dict[str, Any]:
    return {"namespaces": [entry for entry in ALL if entry["type"] not in kinds]}


def test_network_ipc_and_processes_of_another_container_can_be_joined(low: Any) -> None:
    first = low.plan("sh", "-c", "for n in net ipc pid; do readlink /proc/self/ns/$n; done; sleep 60")
    second = low.plan(
        "sh",
        "-c",
        "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; readlink /proc/self/ns/pid; ps | grep -c sleep",
        linux=without("network", "ipc", "pid"),
    )
    second["join_started"] = {"network": 0, "ipc": 0, "pid": 0}
    results = low.run_all(first, second, kill=[first["id"]])["results"]
    assert results[1]["status"] == 0
    *names, sleepers = results[1]["stdout"].split()
    assert names == results[0]["stdout"].split()
    assert int(sleepers) >= 1


def test_a_network_of_a_user_namespace_is_joined_together_with_it(low: Any) -> None:
    first = low.plan("sleep", "60", linux=MAPPED)
    second = low.plan(
        "sh", "-c", "id -u; cat /proc/self/uid_map", linux={**MAPPED, **without("network")}, options={"join": {"network": 1, "user": 1}}
    )
    second["join_started"] = {"network": 0, "user": 0}
    result = low.run_all(first, second, kill=[first["id"]])["results"][1]
    assert result["stdout"].split() == ["0", "0", "100000", "65536"], result


def test_the_hosts_namespaces_are_kept_where_none_are_named(low: Any) -> None:
    output = low.sh("readlink /proc/self/ns/net; readlink /proc/self/ns/uts", linux=without("network", "uts"), hostname="")
    assert output.split() == [os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/uts")]


def test_a_time_namespace_has_its_own_clock(low: Any) -> None:
    if not os.path.exists("/proc/self/ns/time"):
        return
    linux = {"namespaces": [*ALL, {"type": "time"}], "timeOffsets": {"boottime": {"secs": 10_000_000}}}
    assert float(low.sh("cat /proc/uptime", linux=linux).split()[0]) > 10_000_000


def test_a_cgroup_namespace_starts_at_the_containers_own(low: Any) -> None:
    paths = {line.rpartition(":")[2] for line in low.sh("cat /proc/self/cgroup").splitlines()}
    assert paths == {"/"}


def test_processes_of_a_user_namespace_are_joined_together_with_it(low: Any) -> None:
    first = low.plan("sleep", "60", linux=MAPPED)
    second = low.plan(
        "sh", "-c", "ps | grep -c 'sleep 60'; exit 7", linux={**MAPPED, **without("pid")}, options={"join": {"pid": 1, "user": 1}}
    )
    second["join_started"] = {"pid": 0, "user": 0}
    result = low.run_all(first, second, kill=[first["id"]])["results"][1]
    assert (result["status"], int(result["stdout"]) >= 1) == (7, True), result
