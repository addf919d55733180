"""What a client sees of a container, and what it sends to make one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argosy.engine.model import ContainerSpec, HostConfig, State
from argosy.network.model import Endpoint, EndpointSettings
from argosy.oci.config import Config


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container at one moment. ``generation`` changes whenever anything in it does, so encodings can be cached."""

    spec: ContainerSpec
    state: State
    generation: int
    image_name: str
    endpoints: Mapping[str, Endpoint]
    endpoint_settings: Mapping[str, EndpointSettings]
    ports: Mapping[str, tuple[tuple[str, str], ...]]
    exec_ids: tuple[str, ...]
    graph_driver: str
    graph_data: Mapping[str, str]
    image_manifest: Mapping[str, Any] | None
    paths: Mapping[str, str]
    """resolv_conf, hostname, hosts, log: files on the host."""
    apparmor: str = ""
    """The profile that it ran under last; empty before its first start and where there is no AppArmor."""
    size_rw: int | None = None
    size_root_fs: int | None = None


@dataclass(frozen=True, slots=True)
class CreateRequest:
    name: str
    config: Config
    host: HostConfig
    endpoints: Mapping[str, EndpointSettings]
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    id: str
    warnings: tuple[str, ...]
