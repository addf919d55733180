"""Puts the parts together; the only place in the registry that knows everybody."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.base.errors import SystemFailureError
from argosy.base.tasks import Supervisor
from argosy.registry.auth.basic import BasicGate
from argosy.registry.auth.grant import Gate, OpenGate
from argosy.registry.auth.htpasswd import Htpasswd
from argosy.registry.auth.rules import Rule
from argosy.registry.config import Config, seconds, secret, size
from argosy.registry.dispatch import Dispatcher, Handlers, Page
from argosy.registry.gc.schedule import Schedule
from argosy.registry.handlers.blobs import BlobHandlers
from argosy.registry.handlers.lists import ListHandlers
from argosy.registry.handlers.manifests import ManifestHandlers
from argosy.registry.handlers.metrics_page import MetricsPage
from argosy.registry.handlers.uploads import UploadHandlers
from argosy.registry.metrics import Metrics
from argosy.registry.page.browse import BrowsePage
from argosy.registry.patterns import Pattern
from argosy.registry.server import RegistryServer, is_loopback
from argosy.registry.storage.blobs import Blobs
from argosy.registry.storage.layout import Layout, prepare
from argosy.registry.storage.manifests import Manifests
from argosy.registry.storage.uploads import Uploads
from argosy.registry.usage import Usage

if TYPE_CHECKING:
    from argosy.registry.proxy.upstream import Upstream

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 10.0
READ_ONLY = "this registry is read-only"


class Registry:
    """A registry on one root, as configured."""

    def __init__(self, config: Config, words: Sequence[str] = ()) -> None:
        """``words``: the command line, for the garbage collection that is run as a process of its own."""
        self._config = config
        self._words = words
        self._read_only = READ_ONLY if config.read_only else ""
        try:
            self.layout = prepare(Path(config.root))
        except (OSError, ValueError) as error:
            raise SystemFailureError(f"cannot use {config.root}: {error}") from error
        self.metrics = Metrics()
        self.blobs = Blobs(self.layout)
        self.uploads = Uploads(self.layout, self.blobs)
        self.manifests = Manifests(self.layout)
        self.usage = usage_of(config, self.layout)
        self._tasks = Supervisor()
        self._upstream: Upstream | None = None
        gate = self._gate()
        dispatcher = Dispatcher(
            handlers=self._proxied(self._handlers()),
            pages=self._pages(gate),
            gate=gate,
            metrics=self.metrics,
            read_only=self._read_only,
        )
        self.server = RegistryServer(dispatcher.handle)

    def _gate(self) -> Gate:
        auth = self._config.auth
        if auth.token is not None:
            # Imported here: cryptography takes a tenth of a second and 10 MiB, and few registries use it.
            from argosy.registry.auth.token import TokenGate

            return TokenGate(auth.token, metrics=self.metrics)
        if auth.htpasswd:
            rules = [
                Rule(frozenset(rule.users), tuple(map(Pattern, rule.repositories)), frozenset(rule.actions)) for rule in self._config.access
            ]
            return BasicGate(passwords=Htpasswd(auth.htpasswd), rules=rules, realm=auth.realm, metrics=self.metrics)
        return OpenGate()

    def _pages(self, gate: Gate) -> Mapping[str, Page]:
        metrics = MetricsPage(layout=self.layout, metrics=self.metrics, gate=gate)
        pages: dict[str, Page] = {"metrics": metrics.answer}
        if isinstance(gate, BasicGate):
            pages["token"] = gate.token
        if self._config.page and self._config.auth.token is None:
            browse = BrowsePage(layout=self.layout, manifests=self.manifests, gate=gate, read_only=bool(self._read_only))
            pages |= {"": browse.answer, "r": browse.answer}
        return pages

    def _handlers(self) -> Handlers:
        blobs = BlobHandlers(blobs=self.blobs, usage=self.usage)
        uploads = UploadHandlers(layout=self.layout, blobs=self.blobs, uploads=self.uploads, usage=self.usage)
        manifests = ManifestHandlers(manifests=self.manifests)
        lists = ListHandlers(layout=self.layout, manifests=self.manifests)
        return {
            "base": {"GET": lists.base, "HEAD": lists.base},
            "catalog": {"GET": lists.catalogue},
            "tags": {"GET": lists.tags},
            "manifest": {"GET": manifests.get, "HEAD": manifests.get, "PUT": manifests.put, "DELETE": manifests.delete},
            "referrers": {"GET": manifests.referrers},
            "blob": {"GET": blobs.get, "HEAD": blobs.head, "DELETE": blobs.delete},
            "uploads": {"POST": uploads.begin},
            "upload": {"GET": uploads.status, "PATCH": uploads.append, "PUT": uploads.end, "DELETE": uploads.cancel},
        }

    def _proxied(self, handlers: Handlers) -> Handlers:
        proxy = self._config.proxy
        if proxy is None:
            return handlers
        # Imported here: aiohttp's client reads all certificate authorities of the host when it is imported.
        from argosy.registry.proxy.handlers import ProxyHandlers
        from argosy.registry.proxy.upstream import Upstream

        password = secret(proxy.password_file) if proxy.password_file else ""
        tls = ssl.create_default_context(cafile=proxy.ca) if proxy.ca else True
        self._upstream = Upstream(url=proxy.url, user=proxy.user, password=password, tls=tls)
        return ProxyHandlers(
            upstream=self._upstream,
            layout=self.layout,
            blobs=self.blobs,
            uploads=self.uploads,
            manifests=self.manifests,
            metrics=self.metrics,
            tasks=self._tasks,
            ttl=seconds(proxy.ttl, "proxy.ttl"),
        ).over(handlers)

    async def start(self) -> None:
        """Listen. Raises SystemFailureError or InvalidParameterError."""
        if self._config.auth.htpasswd and self._config.tls is None and not is_loopback(self._config.listen):
            _log.warning("passwords cross the network in the clear: give --tls-cert and --tls-key, or put a proxy with TLS in front")
        for address in self._config.listen:
            for shown in await self.server.listen(address, self._config.tls):
                _log.info("registry listens on %s (root %s)", shown, self.layout.root)

        interval = seconds(self._config.gc.interval, "gc.interval")
        if interval > 0 and not self._config.read_only:
            schedule = Schedule(interval=interval, words=self._words, ended=self._collected)
            self._tasks.spawn(schedule.run(), name="garbage collection")

    def _collected(self, freed: int) -> None:
        self.usage.forget_all()
        self.metrics.add("argosy_registry_gc_runs_total")
        self.metrics.add("argosy_registry_gc_freed_bytes_total", freed)

    def reload(self) -> None:
        self.server.reload()

    async def close(self) -> None:
        await self.server.close(_GRACE_SECONDS)
        await self._tasks.close()
        if self._upstream is not None:
            await self._upstream.close()


def usage_of(config: Config, layout: Layout) -> Usage:
    limits = {Pattern(text): size(value, f"quota.repositories.{text}") for text, value in config.quota.repositories.items()}
    if config.quota.repository:
        limits[Pattern("**")] = size(config.quota.repository, "quota.repository")
    return Usage(layout=layout, total=size(config.quota.total, "quota.total"), repositories=limits)


async def serve(config: Config, words: Sequence[str], ended: asyncio.Event, reloading: Callable[[Callable[[], None]], None]) -> None:
    """Run a registry until the event; ``reloading`` is given what a SIGHUP is to call."""
    registry = Registry(config, words)
    try:
        await registry.start()
        reloading(registry.reload)
        await ended.wait()
        _log.info("registry stops")
    finally:
        await registry.close()
