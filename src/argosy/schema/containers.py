"""Wire types of container requests: ``POST /containers/create``, ``update``, ``exec``, ``commit``.

Attributes carry the names of `argosy.engine.model`, so that one value is made from the other field by field.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from argosy.schema.names import wire_name
from argosy.schema.networks import EndpointSettings
from argosy.schema.types import Int, Int64, UInt, UInt16, UInt64, Words


class RestartPolicy(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "container.RestartPolicy"
    name: str = ""
    maximum_retry_count: Int = 0


class LogConfig(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "container.LogConfig"
    type: str = ""
    config: Mapping[str, str] = {}


class Device(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "container.DeviceMapping"
    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


class DeviceRequest(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "container.DeviceRequest"
    driver: str = ""
    count: Int = 0
    device_ids: tuple[str, ...] | None = None
    capabilities: tuple[tuple[str, ...], ...] | None = None
    options: Mapping[str, str] | None = None


class Ulimit(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "units.Ulimit"
    name: str = ""
    soft: Int64 = 0
    hard: Int64 = 0


class WeightDevice(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "blkiodev.WeightDevice"
    path: str = ""
    weight: UInt16 = 0


class ThrottleDevice(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "blkiodev.ThrottleDevice"
    path: str = ""
    rate: UInt64 = 0


class PortBinding(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "nat.PortBinding"
    host_ip: str = ""
    host_port: str = ""


class DriverConfig(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.Driver"
    name: str = ""
    options: Mapping[str, str] | None = None


class BindOptions(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.BindOptions"
    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    read_only_force_recursive: bool = False


class VolumeOptions(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.VolumeOptions"
    no_copy: bool = False
    labels: Mapping[str, str] | None = None
    driver_config: DriverConfig | None = None
    subpath: str = ""


class ImageOptions(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.ImageOptions"
    subpath: str = ""


class TmpfsOptions(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.TmpfsOptions"
    size_bytes: Int64 = 0
    mode: Int64 = 0
    options: tuple[tuple[str, ...], ...] | None = None


class Mount(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "mount.Mount"
    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    image_options: ImageOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.Resources"
    cpu_shares: Int64 = 0
    memory: Int64 = 0
    nano_cpus: Int64 = 0
    cgroup_parent: str = ""
    blkio_weight: UInt16 = 0
    blkio_weight_device: tuple[WeightDevice, ...] | None = None
    blkio_device_read_bps: tuple[ThrottleDevice, ...] | None = None
    blkio_device_write_bps: tuple[ThrottleDevice, ...] | None = None
    blkio_device_read_iops: tuple[ThrottleDevice, ...] | None = None
    blkio_device_write_iops: tuple[ThrottleDevice, ...] | None = None
    cpu_period: Int64 = 0
    cpu_quota: Int64 = 0
    cpu_realtime_period: Int64 = 0
    cpu_realtime_runtime: Int64 = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    devices: tuple[Device, ...] | None = None
    device_cgroup_rules: tuple[str, ...] | None = None
    device_requests: tuple[DeviceRequest, ...] | None = None
    kernel_memory: Int64 = 0
    kernel_memory_tcp: Int64 = 0
    memory_reservation: Int64 = 0
    memory_swap: Int64 = 0
    memory_swappiness: Int64 | None = None
    oom_kill_disable: bool | None = None
    pids_limit: Int64 | None = None
    ulimits: tuple[Ulimit, ...] | None = None
    cpu_count: Int64 = 0
    cpu_percent: Int64 = 0
    io_maximum_iops: UInt64 = 0
    io_maximum_bandwidth: UInt64 = 0


class HostConfig(Resources, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.HostConfig"
    binds: tuple[str, ...] | None = None
    container_id_file: str = ""
    log_config: LogConfig = LogConfig()
    network_mode: str = ""
    port_bindings: Mapping[str, tuple[PortBinding, ...]] | None = None
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    volume_driver: str = ""
    volumes_from: tuple[str, ...] | None = None
    console_size: tuple[UInt, UInt] = (0, 0)
    annotations: Mapping[str, str] | None = None
    cap_add: Words | None = None
    cap_drop: Words | None = None
    cgroupns_mode: str = ""
    dns: tuple[str, ...] | None = None
    dns_options: tuple[str, ...] | None = None
    dns_search: tuple[str, ...] | None = None
    extra_hosts: tuple[str, ...] | None = None
    group_add: tuple[str, ...] | None = None
    ipc_mode: str = ""
    cgroup: str = ""
    links: tuple[str, ...] | None = None
    oom_score_adj: Int = 0
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: tuple[str, ...] | None = None
    storage_opt: Mapping[str, str] | None = None
    tmpfs: Mapping[str, str] | None = None
    uts_mode: str = ""
    userns_mode: str = ""
    shm_size: Int64 = 0
    sysctls: Mapping[str, str] | None = None
    runtime: str = ""
    isolation: str = ""
    masked_paths: tuple[str, ...] | None = None
    readonly_paths: tuple[str, ...] | None = None
    mounts: tuple[Mount, ...] | None = None
    init: bool | None = None


class Healthcheck(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "v1.HealthcheckConfig"
    test: tuple[str, ...] = ()
    interval: Int64 = 0
    timeout: Int64 = 0
    retries: Int = 0
    start_period: Int64 = 0
    start_interval: Int64 = 0


class Config(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.Config"
    hostname: str = ""
    domainname: str = ""
    user: str = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: Mapping[str, Any] | None = None
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: tuple[str, ...] | None = None
    cmd: Words | None = None
    healthcheck: Healthcheck | None = None
    args_escaped: bool = False
    image: str = ""
    volumes: Mapping[str, Any] | None = None
    working_dir: str = ""
    entrypoint: Words | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: tuple[str, ...] | None = None
    labels: Mapping[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: Int | None = None
    shell: Words | None = None


class NetworkingConfig(msgspec.Struct, frozen=True, rename=wire_name):
    go_name: ClassVar[str] = "network.NetworkingConfig"
    endpoints_config: Mapping[str, EndpointSettings] | None = None


class CreateBody(Config, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.CreateRequest"
    host_config: HostConfig | None = None
    networking_config: NetworkingConfig | None = None
    runtime: str = ""
    """Of docker-py's ``create_container``, which puts it here; Docker overlooks it."""


class UpdateBody(Resources, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.UpdateConfig"
    restart_policy: RestartPolicy | None = None


class ExecBody(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.ExecOptions"
    user: str = ""
    privileged: bool = False
    tty: bool = False
    console_size: tuple[UInt, UInt] | None = None
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    env: tuple[str, ...] | None = None
    working_dir: str = ""
    cmd: tuple[str, ...] | None = None


class ExecStartBody(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "container.ExecStartOptions"
    detach: bool = False
    tty: bool = False
    console_size: tuple[UInt, UInt] | None = None
