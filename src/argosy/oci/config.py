"""The portable part of a container's configuration: what an image carries and a container takes over.

https://github.com/opencontainers/image-spec/blob/main/config.md with Docker's additions (health check, on-build, shell).
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class Healthcheck(msgspec.Struct, frozen=True, omit_defaults=True):
    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class Config(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names follow the Engine API in snake case; durations in ns."""

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
    cmd: tuple[str, ...] | None = None
    healthcheck: Healthcheck | None = None
    args_escaped: bool = False
    image: str = ""
    volumes: Mapping[str, Any] | None = None
    working_dir: str = ""
    entrypoint: tuple[str, ...] | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: tuple[str, ...] | None = None
    labels: Mapping[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    """Seconds."""
    shell: tuple[str, ...] | None = None
