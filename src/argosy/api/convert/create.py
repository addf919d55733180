"""``POST /containers/create`` into the engine's request, as the client's API version meant it.

moby ``postContainersCreate``: what a version did not have is ignored, and old defaults are put in.
"""

from collections.abc import Mapping

import msgspec

from argosy.api.convert.networks import endpoint_settings
from argosy.base.errors import InvalidParameterError
from argosy.engine.container_view import CreateRequest
from argosy.engine.model import Config, HostConfig, Mount
from argosy.network.model import EndpointSettings
from argosy.schema.containers import Config as WireConfig
from argosy.schema.containers import CreateBody

replace = msgspec.structs.replace


def container_config(wire: WireConfig) -> Config:
    return msgspec.convert(wire, Config, from_attributes=True)


def create_request(body: CreateBody, *, name: str, platform: str, version: int) -> tuple[CreateRequest, tuple[str, ...]]:
    """Return (request, warnings). Raises InvalidParameterError for what this version forbids."""
    wire = body.host_config
    host = HostConfig() if wire is None else msgspec.convert(wire, HostConfig, from_attributes=True)
    if body.runtime and not host.runtime:
        host = replace(host, runtime=body.runtime)
    given = (body.networking_config and body.networking_config.endpoints_config) or {}
    endpoints = {network: endpoint_settings(settings) for network, settings in given.items()}
    if version < 44 and len(endpoints) > 1:
        names = ", ".join(sorted(endpoints))
        raise InvalidParameterError(f"Container cannot be connected to network endpoints: {names}")
    config = container_config(body)
    if version >= 52:
        config = replace(config, mac_address="")
    config, endpoints, warnings = _settle_mac_address(config, host, endpoints, version)
    return CreateRequest(name, config, _host_of(host, version), endpoints, platform), warnings


def _host_of(host: HostConfig, version: int) -> HostConfig:
    if host.pids_limit is not None and host.pids_limit <= 0:
        # 0 and every negative number mean "unlimited".
        host = replace(host, pids_limit=None)
    if version < 40:
        host = replace(host, kernel_memory_tcp=0, ipc_mode=host.ipc_mode or "shareable")
    if version < 41 and not host.cgroupns_mode:
        host = replace(host, cgroupns_mode="host")
    if version < 42:
        host = replace(host, console_size=(0, 0))
    else:
        host = replace(host, kernel_memory=0)
    if version >= 52:
        host = replace(host, kernel_memory_tcp=0)
    if host.mounts:
        host = replace(host, mounts=tuple(_mount_of(mount, version) for mount in host.mounts))
    return host


def _mount_of(mount: Mount, version: int) -> Mount:
    bind = mount.bind_options
    if bind is not None:
        if version < 40:
            bind = replace(bind, non_recursive=False)
        if version < 42:
            bind = replace(bind, create_mountpoint=False)
        if version < 44:
            # Read-only binds were not recursively read-only then.
            bind = replace(bind, read_only_non_recursive=mount.read_only, read_only_force_recursive=False)
        return replace(mount, bind_options=bind)
    if version < 45 and mount.volume_options is not None:
        return replace(mount, volume_options=replace(mount.volume_options, subpath=""))
    return mount


def _settle_mac_address(
    config: Config, host: HostConfig, endpoints: Mapping[str, EndpointSettings], version: int
) -> tuple[Config, dict[str, EndpointSettings], tuple[str, ...]]:
    """Move the container-wide address to the endpoint of its network mode (it became the endpoint's in 1.44)."""
    joined = dict(endpoints)
    if not config.mac_address:
        return config, joined, ()
    mode = host.network_mode or "default"
    warnings: tuple[str, ...] = ()
    if version >= 44:
        warnings = ("The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.",)
    if mode in ("host", "none") or mode.startswith("container:"):
        return config, joined, warnings
    network = "bridge" if mode == "default" and "bridge" in joined else mode
    if network == "default":
        network = "bridge"
    settings = joined.get(network, EndpointSettings())
    if settings.mac_address and settings.mac_address != config.mac_address:
        raise InvalidParameterError(
            "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty"
        )
    joined[network] = replace(settings, mac_address=config.mac_address)
    return config, joined, warnings
