"""`at_create` and `at_update`: all checks, in Docker's order, so that the first complaint is Docker's too."""

import ipaddress
import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.base.errors import ConflictError, InvalidParameterError, SystemFailureError
from argosy.base.units import parse_size
from argosy.engine import capabilities
from argosy.engine.model import Config, HostConfig, Resources
from argosy.engine.platform import Machine
from argosy.engine.security import security_options
from argosy.engine.validate.health import check_healthcheck
from argosy.engine.validate.log_config import check_log_config
from argosy.engine.validate.modes import check_modes
from argosy.engine.validate.ports import check_port_bindings
from argosy.engine.validate.resources import check_resources
from argosy.engine.validate.restart import check_restart_policy, restarts
from argosy.engine.validate.signals import check_signal
from argosy.linux.capabilities import NAMES


@dataclass(frozen=True, slots=True)
class Limits:
    """What the daemon's configuration allows."""

    capabilities: Collection[str] = NAMES
    """Those that the daemon can give."""
    runtimes: Collection[str] = ()
    """Names that ``--runtime`` may use, the default's among them; empty: not checked."""
    default_log_driver: str = "json-file"
    systemd_cgroup: bool = False
    userns_remap: bool = False
    ip_forward: bool = True
    """The daemon switches forwarding on itself (``--ip-forward``)."""
    sized: bool = False
    """The storage driver can limit what a container writes."""


def at_create(config: Config, host: HostConfig, *, machine: Machine, limits: Limits = Limits()) -> tuple[HostConfig, tuple[str, ...]]:
    """Return (the host part without what this kernel cannot do, warnings).

    Raises InvalidParameterError (or what Docker's status is) in Docker's words.
    """
    _check_config(config)
    check_signal(config.stop_signal)
    _check_host(host, limits)
    capabilities.check(host.cap_add, host.cap_drop, available=limits.capabilities)
    security_options(host.security_opt)
    host, discarded = check_resources(host, machine)
    warnings = list(discarded)
    if host.network_mode == "host" and host.port_bindings:
        warnings.append("Published ports are discarded when using host network mode")
    if not (machine.ipv4_forwarding or limits.ip_forward) and host.network_mode not in ("host", "none"):
        warnings.append("IPv4 forwarding is disabled. Networking will not work.")
    if any(mount.type == "image" for mount in host.mounts or ()):
        warnings.append("Image mount is an experimental feature")
    return host, tuple(warnings)


def _check_config(config: Config) -> None:
    for entry in config.env or ():
        if not entry.partition("=")[0]:
            raise InvalidParameterError(f"invalid environment variable: {entry}")
    if config.working_dir and not posixpath.isabs(config.working_dir):
        raise InvalidParameterError(f"the working directory '{config.working_dir}' is invalid, it needs to be an absolute path")
    check_healthcheck(config.healthcheck)


def _check_host(host: HostConfig, limits: Limits) -> None:
    if host.auto_remove and restarts(host.restart_policy):
        raise InvalidParameterError("can't create 'AutoRemove' container with restart policy")
    for entry in host.extra_hosts or ():
        check_extra_host(entry)
    check_port_bindings(host.port_bindings)
    check_restart_policy(host.restart_policy)
    check_modes(host, userns_remap=limits.userns_remap)
    if "" in (host.annotations or {}):
        raise InvalidParameterError("invalid Annotations: the empty string is not permitted as an annotation key")
    check_log_config(host.log_config, limits.default_log_driver)
    if not -1000 <= host.oom_score_adj <= 1000:
        raise InvalidParameterError(f"Invalid value {host.oom_score_adj}, range for oom score adj is [-1000, 1000]")
    if storage_size(host.storage_opt or {}) and not limits.sized:
        raise SystemFailureError("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
    if host.shm_size < 0:
        raise InvalidParameterError("SHM size can not be less than 0")
    if limits.runtimes and host.runtime and host.runtime not in limits.runtimes:
        raise InvalidParameterError(f"unknown or invalid runtime name: {host.runtime}")
    if limits.systemd_cgroup and host.cgroup_parent and not (host.cgroup_parent.endswith(".slice") and len(host.cgroup_parent) > 6):
        raise InvalidParameterError('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')


def storage_size(options: Mapping[str, str]) -> int:
    """Return how many bytes ``--storage-opt size`` lets the container's own files hold, 0: any number. Raises SystemFailureError."""
    size = 0
    for name, value in options.items():
        if name.lower() != "size":
            raise SystemFailureError(f"Unknown option {name}")
        try:
            size = parse_size(value)
        except InvalidParameterError as error:
            raise SystemFailureError(str(error)) from error
    return size


def check_extra_host(entry: str) -> None:
    """``name:address`` (or ``name=address``), ``host-gateway`` standing for the host. Raises InvalidParameterError."""
    name, separator, address = entry.partition("=" if "=" in entry else ":")
    if not separator or not name:
        raise InvalidParameterError(f'bad format for add-host: "{entry}"')
    if address == "host-gateway":
        return
    try:
        ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        raise InvalidParameterError(f'invalid IP address in add-host: "{address}"') from None


def at_update(
    current: HostConfig, changes: Mapping[str, Any], *, machine: Machine, running: bool = False, container_id: str = ""
) -> tuple[HostConfig, tuple[str, ...]]:
    """Return (the host part after the change, warnings). ``changes``: fields of HostConfig that the client sent; zero means unchanged.

    Raises InvalidParameterError, or ConflictError where the change alone is right but not for this container.
    """
    asked = {name: value for name, value in changes.items() if value not in (None, 0, "", (), {}) or name == "pids_limit"}
    part = msgspec.structs.replace(HostConfig(), **asked)
    part, warnings = check_resources(part, machine, update=True)
    asked = {name: getattr(part, name) for name in asked}
    if "restart_policy" in asked:
        check_restart_policy(part.restart_policy)
    try:
        _check_against(current, part, "restart_policy" in asked)
    except ConflictError as error:
        raise ConflictError(f"Cannot update container {container_id}: {error}" if container_id else str(error)) from error
    host = msgspec.structs.replace(current, **asked)
    if 0 < host.memory_swap < host.memory:
        raise InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage")
    return host, warnings


def _check_against(current: Resources, part: HostConfig, policy: bool) -> None:
    """moby ``container/container_unix.go: UpdateContainer``."""
    if policy and isinstance(current, HostConfig) and current.auto_remove and restarts(part.restart_policy):
        raise ConflictError("Restart policy cannot be updated because AutoRemove is enabled for the container")
    if part.nano_cpus > 0 and current.cpu_period > 0:
        raise ConflictError("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set")
    if part.nano_cpus > 0 and current.cpu_quota > 0:
        raise ConflictError("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set")
    if part.cpu_period > 0 and current.nano_cpus > 0:
        raise ConflictError("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set")
    if part.cpu_quota > 0 and current.nano_cpus > 0:
        raise ConflictError("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set")
    if part.memory > 0 and part.memory_swap == 0 and 0 < current.memory_swap < part.memory:
        raise ConflictError("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time")
