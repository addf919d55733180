"""Answers to older versions have the fields that Docker 28.5.2 gives them."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.engine import IMAGE, NET, container
from fakes.server import Api

SHAPES: dict[str, dict[str, list[str] | None]] = json.loads(Path(__file__).with_name("docker-28-shapes.json").read_text())


def shape_of(version: str) -> dict[str, list[str] | None]:
    """Return the fields of one version; the file holds 1.51 in full and then differences, newest first."""
    whole: dict[str, list[str] | None] = {}
    for known, difference in SHAPES.items():
        whole |= difference
        if known == version:
            break
    return whole


async def _observe(api: Api, version: str) -> dict[str, Any]:
    async def get(path: str) -> Any:
        return (await api.ask("GET", f"/v{version}{path}")).json()

    inspected, (listed,) = await get("/containers/web/json?size=1"), await get("/containers/json?size=1")
    image, network = await get("/images/busybox/json"), await get(f"/networks/{NET}")
    seen = {
        "container": inspected,
        "container.State.Health": inspected["State"]["Health"],
        "container.State.Health.Log": inspected["State"]["Health"]["Log"][0],
        "container.NetworkSettings.Networks": inspected["NetworkSettings"]["Networks"]["bridge"],
        "container.Mounts.bind": next(mount for mount in inspected["Mounts"] if mount["Type"] == "bind"),
        "container.Mounts.volume": next(mount for mount in inspected["Mounts"] if mount["Type"] == "volume"),
        "summary": listed,
        "summary.Ports.bound": next(port for port in listed["Ports"] if "IP" in port),
        "summary.Ports.exposed": next(port for port in listed["Ports"] if "IP" not in port),
        "image": image,
        "images": (await get("/images/json"))[0],
        "history": (await get("/images/busybox/history"))[0],
        "networks": (await get("/networks"))[0],
        "network": network,
        "network.IPAM": network["IPAM"],
        "network.Containers": next(iter(network["Containers"].values())),
        "volumes": await get("/volumes"),
        "volume": await get("/volumes/vol"),
        "exec": await get("/exec/" + "f1" * 32 + "/json"),
        "top": await get("/containers/web/top"),
        "changes": (await get("/containers/web/changes"))[0],
        "disk": await get("/system/df"),
        "version": await get("/version"),
    }
    seen |= {f"container.{name}": inspected[name] for name in ("State", "HostConfig", "Config", "NetworkSettings", "GraphDriver")}
    seen |= {f"image.{name}": image[name] for name in ("Config", "RootFS", "Metadata", "GraphDriver", "ContainerConfig") if name in image}
    seen["exec.ProcessConfig"] = seen["exec"]["ProcessConfig"]
    return seen


@pytest.mark.parametrize("version", list(SHAPES))
async def test_fields_are_those_of_docker_28(api: Api, version: str) -> None:
    view = container(size_rw=5, size_root_fs=10)
    api.containers.views = {view.spec.id: view}
    seen = await _observe(api, version)
    for name, expected in shape_of(version).items():
        if expected is None:
            assert name not in seen, name
        elif name != "version":
            assert set(seen[name]) == set(expected) | _ours(name), f"{name} at {version}"


def _ours(name: str) -> set[str]:
    """Fields that the observed container had no value for, and ours has."""
    return {"summary": {"SizeRw"}}.get(name, set())


async def test_legacy_network_fields_end_with_1_51(api: Api) -> None:
    old = (await api.ask("GET", "/v1.51/containers/web/json")).json()["NetworkSettings"]
    new = (await api.ask("GET", "/v1.52/containers/web/json")).json()["NetworkSettings"]
    assert (old["IPAddress"], old["Gateway"], old["Bridge"]) == ("172.17.0.2", "172.17.0.1", "")
    assert set(new) == {"SandboxID", "SandboxKey", "Ports", "Networks"}


async def test_untagged_images_had_names_up_to_1_42(api: Api) -> None:
    (named, old), (_, new) = [(await api.ask("GET", f"/v{version}/images/json")).json() for version in ("1.42", "1.43")]
    assert (old["RepoTags"], old["RepoDigests"]) == (["<none>:<none>"], ["<none>@<none>"])
    assert (new["RepoTags"], new["RepoDigests"]) == ([], [])
    assert named["VirtualSize"] == named["Size"]
    assert "VirtualSize" not in old
    assert old["Id"] == IMAGE


async def test_disk_usage_is_lists_up_to_1_52_and_totals_since(api: Api) -> None:
    lists, both, totals = [(await api.ask("GET", f"/v{version}/system/df")).json() for version in ("1.51", "1.52", "1.53")]
    assert set(lists) == {"LayersSize", "Images", "Containers", "Volumes", "BuildCache"}
    assert set(totals) == {"ImageUsage", "ContainerUsage", "VolumeUsage", "BuildCacheUsage"}
    assert set(both) == set(lists) | set(totals)
    assert totals["VolumeUsage"] == {"ActiveCount": 1, "TotalCount": 1, "Reclaimable": 0, "TotalSize": 10}


async def test_info_is_shaped_back_to_1_24(api: Api) -> None:
    new, old = [(await api.ask("GET", f"/v{version}/info")).json() for version in ("1.55", "1.24")]
    assert (new["SecurityOptions"], old["SecurityOptions"]) == (["name=seccomp,profile=builtin"], ["seccomp"])
    assert "FirewallBackend" in new
    assert "FirewallBackend" not in old
    assert old["RuncCommit"]["Expected"] == "r"
    assert "status" not in old["Runtimes"]["argosy"]
    assert "KernelMemoryTCP" not in new
    assert "KernelMemory" in old
