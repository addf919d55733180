"""The image configuration: what an image's id is the digest of.

OCI image specification, config.md, and moby ``image/spec/specs-go/v1`` for Docker's additions. The bytes are kept as they
came; this is a view of them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.oci.config import Config, Healthcheck


class _Health(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    test: tuple[str, ...] | None = None
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class WireConfig(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """The ``config`` object with Docker's spelling; field names are those of `oci.config.Config`."""

    hostname: str | None = ""
    domainname: str | None = ""
    user: str | None = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: Mapping[str, Any] | None = None
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | str | None = None
    healthcheck: _Health | None = None
    args_escaped: bool = False
    image: str | None = ""
    volumes: Mapping[str, Any] | None = None
    working_dir: str | None = ""
    entrypoint: tuple[str, ...] | str | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: tuple[str, ...] | None = None
    labels: Mapping[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    shell: tuple[str, ...] | None = None


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    created: str | None = None
    author: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


class RootFs(msgspec.Struct, frozen=True):
    type: str = "layers"
    diff_ids: tuple[str, ...] | None = ()


class ImageConfig(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    architecture: str = ""
    variant: str = ""
    os: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: tuple[str, ...] | None = msgspec.field(default=None, name="os.features")
    created: str | None = None
    author: str = ""
    comment: str = ""
    docker_version: str = ""
    parent: str = ""
    container: str = ""
    container_config: WireConfig | None = None
    config: WireConfig | None = None
    rootfs: RootFs | None = None
    history: tuple[History, ...] | None = None
    build_cache: Any = msgspec.field(default=None, name="argosy.build.cache")
    """Ours: what steps made the layers (`build.inline`). Whatever is there: the image may come from anywhere."""

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return (self.rootfs.diff_ids or ()) if self.rootfs is not None else ()


_DECODER = msgspec.json.Decoder(ImageConfig)


def decode(data: bytes) -> ImageConfig:
    """Return the view of a configuration's bytes. Raises InvalidParameterError."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidParameterError(f"invalid image configuration: {error}") from error


def encode(config: ImageConfig) -> bytes:
    """Return the bytes to store; keys in the order of the specification's Go types, defaults left out."""
    return msgspec.json.encode(config)


def from_wire(wire: WireConfig | None) -> Config:
    """Return the container configuration of an image."""
    if wire is None:
        return Config()
    values = {name: getattr(wire, name) for name in WireConfig.__struct_fields__}
    for name in ("hostname", "domainname", "user", "image", "working_dir"):
        values[name] = values[name] or ""
    for name in ("cmd", "entrypoint"):
        # Old builders wrote a string where a list belongs (api/types/strslice accepts both).
        if isinstance(values[name], str):
            values[name] = (values[name],)
    health = wire.healthcheck
    if health is not None:
        values["healthcheck"] = Healthcheck(
            tuple(health.test or ()), health.interval, health.timeout, health.retries, health.start_period, health.start_interval
        )
    return Config(**values)


def to_wire(config: Config) -> WireConfig:
    """Return the form in which a configuration is stored in an image."""
    values = {name: getattr(config, name) for name in WireConfig.__struct_fields__}
    health = config.healthcheck
    if health is not None:
        values["healthcheck"] = _Health(
            health.test, health.interval, health.timeout, health.retries, health.start_period, health.start_interval
        )
    return WireConfig(**values)
