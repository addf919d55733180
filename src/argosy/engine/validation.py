"""The checks of `engine.validate`, bound to this machine and this daemon's settings."""

from collections.abc import Mapping
from typing import Any

from argosy.engine.exclusions import check_exclusions
from argosy.engine.model import Config, HostConfig, MountPoint
from argosy.engine.platform import Machine
from argosy.engine.settings import EngineSettings
from argosy.engine.validate import Limits, at_create, at_update, mount_points
from argosy.linux.capabilities import available


class Validation:
    def __init__(self, *, machine: Machine, settings: EngineSettings, sized: bool) -> None:
        self._machine = machine
        self._limits = Limits(
            capabilities=available(),
            runtimes={settings.default_runtime, "argosy", *settings.runtimes},
            default_log_driver=settings.default_log.type,
            systemd_cgroup=settings.systemd_cgroup,
            userns_remap=bool(settings.uid_map),
            ip_forward=settings.ip_forward,
            sized=sized,
        )

    def at_create(self, config: Config, host: HostConfig) -> tuple[HostConfig, tuple[str, ...]]:
        """Return (the host part as it can be, warnings). Raises InvalidParameterError in Docker's words."""
        check_exclusions(config, host)
        return at_create(config, host, machine=self._machine, limits=self._limits)

    def at_update(
        self, current: HostConfig, changes: Mapping[str, Any], running: bool, container_id: str
    ) -> tuple[HostConfig, tuple[str, ...]]:
        """Return (the host part after the change, warnings)."""
        return at_update(current, changes, machine=self._machine, running=running, container_id=container_id)

    @staticmethod
    def mount_points(config: Config, host: HostConfig) -> tuple[MountPoint, ...]:
        return mount_points(config, host)
