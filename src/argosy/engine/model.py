"""What a user asked for and what became of it: the values that the engine keeps.

Names follow the Engine API in snake case, so that `api.convert` maps wire types by field name. A `ContainerSpec` is an
immutable *revision*: a change (rename, update) makes a new one. Sizes are bytes, times are ns since the epoch (0: never)
or ns of duration, unless the name says otherwise.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from argosy.network.model import Endpoint, EndpointSettings, PortBinding
from argosy.oci.config import Config

__all__ = ["Config", "Endpoint", "EndpointSettings", "PortBinding"]


class RestartPolicy(msgspec.Struct, frozen=True):
    name: str = ""
    """``""`` and ``no``, ``always``, ``unless-stopped``, ``on-failure``."""
    maximum_retry_count: int = 0


class LogConfig(msgspec.Struct, frozen=True):
    type: str = ""
    config: Mapping[str, str] = {}


class Device(msgspec.Struct, frozen=True):
    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


class DeviceRequest(msgspec.Struct, frozen=True):
    driver: str = ""
    count: int = 0
    device_ids: tuple[str, ...] | None = None
    capabilities: tuple[tuple[str, ...], ...] | None = None
    options: Mapping[str, str] | None = None


class Ulimit(msgspec.Struct, frozen=True):
    name: str = ""
    soft: int = 0
    hard: int = 0


class WeightDevice(msgspec.Struct, frozen=True):
    path: str = ""
    weight: int = 0


class ThrottleDevice(msgspec.Struct, frozen=True):
    path: str = ""
    rate: int = 0


class DriverConfig(msgspec.Struct, frozen=True):
    name: str = ""
    options: Mapping[str, str] | None = None


class BindOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    read_only_force_recursive: bool = False


class VolumeOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    no_copy: bool = False
    labels: Mapping[str, str] | None = None
    driver_config: DriverConfig | None = None
    subpath: str = ""


class ImageOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    subpath: str = ""


class TmpfsOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    size_bytes: int = 0
    mode: int = 0
    options: tuple[tuple[str, ...], ...] | None = None


class Mount(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of ``HostConfig.Mounts`` (``--mount``)."""

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    image_options: ImageOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What ``update`` may change while the container runs."""

    cpu_shares: int = 0
    memory: int = 0
    nano_cpus: int = 0
    cgroup_parent: str = ""
    blkio_weight: int = 0
    blkio_weight_device: tuple[WeightDevice, ...] | None = None
    blkio_device_read_bps: tuple[ThrottleDevice, ...] | None = None
    blkio_device_write_bps: tuple[ThrottleDevice, ...] | None = None
    blkio_device_read_iops: tuple[ThrottleDevice, ...] | None = None
    blkio_device_write_iops: tuple[ThrottleDevice, ...] | None = None
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_realtime_period: int = 0
    cpu_realtime_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    devices: tuple[Device, ...] | None = None
    device_cgroup_rules: tuple[str, ...] | None = None
    device_requests: tuple[DeviceRequest, ...] | None = None
    kernel_memory: int = 0
    kernel_memory_tcp: int = 0
    memory_reservation: int = 0
    memory_swap: int = 0
    memory_swappiness: int | None = None
    oom_kill_disable: bool | None = None
    pids_limit: int | None = None
    ulimits: tuple[Ulimit, ...] | None = None
    cpu_count: int = 0
    cpu_percent: int = 0
    io_maximum_iops: int = 0
    io_maximum_bandwidth: int = 0


class HostConfig(Resources, frozen=True, kw_only=True):
    """What binds the container to this host."""

    binds: tuple[str, ...] | None = None
    container_id_file: str = ""
    log_config: LogConfig = LogConfig()
    network_mode: str = ""
    port_bindings: Mapping[str, tuple[PortBinding, ...] | None] | None = None
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    volume_driver: str = ""
    volumes_from: tuple[str, ...] | None = None
    console_size: tuple[int, int] = (0, 0)
    """Height, width."""
    annotations: Mapping[str, str] | None = None
    cap_add: tuple[str, ...] | None = None
    cap_drop: tuple[str, ...] | None = None
    cgroupns_mode: str = ""
    dns: tuple[str, ...] | None = None
    dns_options: tuple[str, ...] | None = None
    dns_search: tuple[str, ...] | None = None
    extra_hosts: tuple[str, ...] | None = None
    group_add: tuple[str, ...] | None = None
    ipc_mode: str = ""
    cgroup: str = ""
    links: tuple[str, ...] | None = None
    oom_score_adj: int = 0
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: tuple[str, ...] | None = None
    storage_opt: Mapping[str, str] | None = None
    tmpfs: Mapping[str, str] | None = None
    uts_mode: str = ""
    userns_mode: str = ""
    shm_size: int = 0
    sysctls: Mapping[str, str] | None = None
    runtime: str = ""
    isolation: str = ""
    masked_paths: tuple[str, ...] | None = None
    readonly_paths: tuple[str, ...] | None = None
    mounts: tuple[Mount, ...] | None = None
    init: bool | None = None


class MountPoint(msgspec.Struct, frozen=True):
    """One resolved mount of a container, decided at create and kept with it."""

    type: str
    """``bind``, ``volume``, ``tmpfs``, ``image``."""
    destination: str
    name: str = ""
    """Volume name, or the image as it was asked for."""
    source: str = ""
    """Path on the host, or the image's id."""
    driver: str = ""
    mode: str = ""
    rw: bool = True
    propagation: str = ""
    subpath: str = ""
    no_copy: bool = False
    anonymous: bool = False
    """The volume was made for this container alone; ``rm -v`` and ``--rm`` remove it."""
    options: tuple[str, ...] = ()
    """Of a tmpfs, in mount(8)'s words."""
    chain: str = ""
    """Chain ID of an image's top layer."""
    mapped: bool = False
    """The source has a container's ids, as all that the daemon keeps; a container with a user namespace sees it through its mapping."""


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The immutable revision: everything decided at create (image defaults merged in)."""

    id: str
    name: str
    """Without a leading slash."""
    created: int
    image_id: str
    """Digest of the image's config, ``sha256:…``."""
    image_manifest: str = ""
    platform: str = "linux"
    config: Config = Config()
    host: HostConfig = HostConfig()
    networks: Mapping[str, EndpointSettings] = {}
    """By network name as given; resolved to ids at start."""
    mounts: tuple[MountPoint, ...] = ()
    driver: str = "overlay2"
    log_path: str = ""
    process_label: str = ""
    """SELinux's; empty where containers are not labelled, or this one is not."""
    mount_label: str = ""
    path: str = ""
    args: tuple[str, ...] = ()
    revision: int = 1


class Status(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class HealthLog(msgspec.Struct, frozen=True):
    start: int
    end: int
    exit_code: int
    output: str


class Health(msgspec.Struct, frozen=True):
    status: str = "starting"
    failing_streak: int = 0
    log: tuple[HealthLog, ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it; a change makes a new value (`msgspec.structs.replace`)."""

    status: Status = Status.CREATED
    pid: int = 0
    pid_start: int = 0
    """Field 22 of /proc/PID/stat; a pid means nothing without it and the boot id."""
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at: int = 0
    finished_at: int = 0
    restart_count: int = 0
    manually_stopped: bool = False
    health: Health | None = None


class ExecSpec(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    container_id: str
    cmd: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    tty: bool = False
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    env: tuple[str, ...] = ()
    working_dir: str = ""
    console_size: tuple[int, int] | None = None


class ExecState(msgspec.Struct, frozen=True, kw_only=True):
    running: bool = False
    exit_code: int | None = None
    pid: int = 0
    can_remove: bool = False
    started: bool = False
