"""A create request as each API version meant it."""

from typing import Any

import msgspec
import pytest

from argosy.api.convert.create import create_request
from argosy.api.ports import CreateRequest
from argosy.base.errors import InvalidParameterError
from argosy.schema import decode
from argosy.schema.containers import CreateBody


def _create(version: int, **body: Any) -> tuple[CreateRequest, tuple[str, ...]]:
    return create_request(decode(CreateBody, msgspec.json.encode(body)), name="n", platform="", version=version)


def test_every_field_of_the_wire_has_its_place_in_the_model() -> None:
    from argosy.engine.model import HostConfig
    from argosy.oci.config import Config
    from argosy.schema import containers as wire

    assert {f.name for f in msgspec.structs.fields(wire.HostConfig)} == {f.name for f in msgspec.structs.fields(HostConfig)}
    assert {f.name for f in msgspec.structs.fields(wire.Config)} == {f.name for f in msgspec.structs.fields(Config)}


def test_nested_values_become_the_engines() -> None:
    request, _ = _create(
        55,
        Image="busybox",
        Healthcheck={"Test": ["CMD", "x"], "Interval": 5},
        HostConfig={
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
            "Mounts": [{"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {"DriverConfig": {"Name": "local"}}}],
            "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            "BlkioDeviceReadIOps": [{"Path": "/dev/sda", "Rate": 3}],
            "UTSMode": "host",
        },
    )
    host = request.host
    assert host.port_bindings is not None
    assert host.port_bindings["80/tcp"] is not None
    assert host.port_bindings["80/tcp"][0].host_port == "8080"
    assert host.mounts is not None
    assert host.mounts[0].volume_options is not None
    assert host.mounts[0].volume_options.driver_config is not None
    assert (host.ulimits or ())[0].hard == 2
    assert (host.blkio_device_read_iops or ())[0].rate == 3
    assert host.uts_mode == "host"
    assert request.config.healthcheck is not None
    assert request.config.healthcheck.interval == 5


def test_old_versions_keep_their_defaults() -> None:
    for version, ipc, cgroupns in ((24, "shareable", "host"), (40, "", "host"), (41, "", "")):
        host = _create(version, Image="busybox")[0].host
        assert (host.ipc_mode, host.cgroupns_mode) == (ipc, cgroupns)


@pytest.mark.parametrize("limit", [0, -1, -5])
def test_no_pids_limit_has_many_numbers(limit: int) -> None:
    assert _create(55, HostConfig={"PidsLimit": limit})[0].host.pids_limit is None


def test_fields_that_a_version_lost_or_had_not_yet_are_ignored() -> None:
    body = {"HostConfig": {"KernelMemory": 5, "KernelMemoryTCP": 6, "ConsoleSize": [1, 2]}}
    assert [_create(v, **body)[0].host.kernel_memory for v in (41, 42)] == [5, 0]
    assert [_create(v, **body)[0].host.kernel_memory_tcp for v in (39, 40, 51, 52)] == [0, 6, 6, 0]
    assert [_create(v, **body)[0].host.console_size for v in (41, 42)] == [(0, 0), (1, 2)]
    bind = {"HostConfig": {"Mounts": [{"Type": "bind", "ReadOnly": True, "BindOptions": {"NonRecursive": True, "CreateMountpoint": True}}]}}
    made = [(_create(v, **bind)[0].host.mounts or ())[0].bind_options for v in (39, 41, 44)]
    assert [(b.non_recursive, b.create_mountpoint, b.read_only_non_recursive) for b in made if b] == [
        (False, False, True),
        (True, False, True),
        (True, True, False),
    ]


def test_several_networks_at_once_came_with_1_44() -> None:
    networking = {"EndpointsConfig": {"b": {}, "a": {}}}
    assert set(_create(44, NetworkingConfig=networking)[0].endpoints) == {"a", "b"}
    with pytest.raises(InvalidParameterError, match="Container cannot be connected to network endpoints: a, b"):
        _create(43, NetworkingConfig=networking)


def test_the_containers_mac_address_moves_to_its_endpoint() -> None:
    for version, told in ((43, False), (44, True)):
        request, warnings = _create(version, MacAddress="02:00:00:00:00:01", HostConfig={"NetworkMode": "net"})
        assert request.endpoints["net"].mac_address == "02:00:00:00:00:01"
        assert bool(warnings) is told
    assert _create(55, MacAddress="02:00:00:00:00:01")[0].endpoints == {}
    with pytest.raises(InvalidParameterError, match="must match the endpoint-specific MAC address"):
        _create(
            50,
            MacAddress="02:00:00:00:00:01",
            HostConfig={"NetworkMode": "net"},
            NetworkingConfig={"EndpointsConfig": {"net": {"MacAddress": "02:00:00:00:00:02"}}},
        )


def test_a_runtime_beside_the_host_part_counts() -> None:
    assert _create(44, Runtime="runc")[0].host.runtime == "runc"
    assert _create(44, Runtime="runc", HostConfig={"Runtime": "crun"})[0].host.runtime == "crun"
