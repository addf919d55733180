"""The daemon's life: bind, build, boot, serve; and at the end let go of everything without ending a container."""

import asyncio
import logging
from collections.abc import Callable

from argosy.api.listeners import Listener, TlsFiles, open_listeners
from argosy.api.server import ApiServer
from argosy.base.errors import ArgosyError
from argosy.daemon import config as configuration
from argosy.daemon.config import DaemonConfig
from argosy.daemon.metrics import Metrics
from argosy.daemon.root import DataRoot
from argosy.daemon.settings import info_settings, registry_settings
from argosy.daemon.wiring import Parts, build
from argosy.storage.drivers.port import describe

_log = logging.getLogger(__name__)


class Daemon:
    def __init__(self, config: DaemonConfig, root: DataRoot, reread: Callable[[], DaemonConfig]) -> None:
        self._config = config
        self._reread = reread
        self._root = root
        self._parts: Parts | None = None
        self._api: ApiServer | None = None
        self._metrics: Metrics | None = None

    @property
    def driver(self) -> str:
        return self._parts.lower.snapshots.driver if self._parts else ""

    async def start(self) -> None:
        """Take up what an earlier daemon left, then serve. The sockets are bound first: clients wait instead of failing."""
        listeners = self._listen()
        self._parts = parts = build(self._config, self._root)
        lower = parts.lower
        parts.supervisor.spawn(parts.apparmor.begin(), name="apparmor")
        await asyncio.gather(lower.runtime.start(), lower.networks.start(), lower.images.open())
        lower.volumes.open()
        parts.boot.load()
        parts.exits.listen()
        parts.transient.listen()
        parts.builder.open()
        await parts.boot.adopt()
        self._api = ApiServer(
            containers=parts.containers,
            execs=parts.execs,
            images=lower.images,
            registries=lower.images.registries,
            networks=parts.networks,
            volumes=parts.volumes,
            system=parts.system,
            builder=parts.builder,
            buildkit=parts.buildkit,
        )
        for listener in listeners:
            await self._api.listen(listener)
        parts.supervisor.spawn(parts.boot.sweep(), name="sweep")
        parts.supervisor.spawn(parts.reclaimer.run(), name="reclaim")
        if self._config["metrics_addr"]:
            self._metrics = Metrics(system=parts.system, registry=parts.registry)
            await self._metrics.listen(self._config["metrics_addr"])

    def _listen(self) -> list[Listener]:
        config = self._config
        tls = None
        if configuration.uses_tls(config):
            tls = TlsFiles(config["tlscert"], config["tlskey"], config["tlscacert"] if config["tlsverify"] else "")
        found: list[Listener] = []
        for host in configuration.hosts(config):
            found += open_listeners(host, group=config["group"], tls=tls, allow_plain_tcp="tls" in config.given)
        return found

    def reload(self) -> None:
        """SIGHUP: read daemon.json again. Log level, labels, registries and what `info` tells of them change at once, the rest
        waits for a restart; a file that cannot be used changes nothing."""
        if self._parts is None:
            return
        try:
            config = self._reread()
        except ArgosyError as error:
            _log.error("configuration not reloaded: %s", error)
            return
        logging.getLogger().setLevel(configuration.level(config))
        parts = self._parts
        driver = parts.lower.layers.driver
        parts.system.reconfigure(info_settings(config, parts.settings, driver.name, describe(driver), self._root.daemon_id))
        parts.lower.images.registries.reconfigure(registry_settings(config))
        self._config = config
        _log.info("configuration reloaded")

    async def close(self) -> None:
        """Stop serving; shims, netd and containers stay."""
        if self._api is not None:
            await self._api.close()
        if self._metrics is not None:
            self._metrics.close()
        if self._parts is None:
            return
        parts, lower = self._parts, self._parts.lower
        parts.exits.close()
        await parts.supervisor.close()
        await lower.networks.close()
        await lower.runtime.close()
        await lower.workers.close()
        lower.database.close()
