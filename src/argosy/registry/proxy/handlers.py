"""Pull-through: answers from the files, and from the registry behind what is missing or may have changed."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable

from argosy.base.tasks import Supervisor
from argosy.oci import digest as digests
from argosy.registry import manifest as manifests
from argosy.registry.dispatch import Handlers
from argosy.registry.errors import RegistryError, blob_unknown, manifest_unknown
from argosy.registry.handlers.blobs import file_answer, headers_of
from argosy.registry.handlers.manifests import manifest_answer
from argosy.registry.http.answer import Answer, AnyAnswer, StreamAnswer
from argosy.registry.http.request import Request
from argosy.registry.metrics import Metrics
from argosy.registry.names import Target, check_digest, check_reference, is_tag
from argosy.registry.proxy.download import Download
from argosy.registry.proxy.upstream import Unreachable, Upstream
from argosy.registry.storage.blobs import Blobs
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.manifests import Manifests, Stored
from argosy.registry.storage.uploads import Uploads

_log = logging.getLogger(__name__)
_STALE = {"Warning": '110 - "Response is Stale"'}


class ProxyHandlers:
    def __init__(
        self,
        *,
        upstream: Upstream,
        layout: Layout,
        blobs: Blobs,
        uploads: Uploads,
        manifests: Manifests,
        metrics: Metrics,
        tasks: Supervisor,
        ttl: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._upstream = upstream
        self._layout = layout
        self._blobs = blobs
        self._uploads = uploads
        self._manifests = manifests
        self._metrics = metrics
        self._tasks = tasks
        self._ttl = ttl
        self._now = now
        self._downloads: dict[tuple[str, str], Download] = {}

    def over(self, handlers: Handlers) -> Handlers:
        """Return the handlers of a registry of one's own with those for pulling replaced, and without any for changing."""
        return {
            **{noun: {method: act for method, act in methods.items() if method in ("GET", "HEAD")} for noun, methods in handlers.items()},
            "manifest": {"GET": self.manifest, "HEAD": self.manifest},
            "blob": {"GET": self.blob, "HEAD": self.blob},
            "uploads": {"POST": _refused},
            "upload": {},
        }

    # ------------------------------------------------------------------ manifests

    async def manifest(self, request: Request, target: Target) -> AnyAnswer:
        check_reference(target.name, target.reference)
        stored = await asyncio.to_thread(self._manifests.read, target.name, target.reference)
        if stored is not None and (target.reference == stored.digest or self._fresh(target)):
            return manifest_answer(request, stored)
        try:
            fetched = await self._fetch(target, stored)
        except Unreachable as error:
            if stored is None:
                raise RegistryError("UNAVAILABLE", f"the registry behind cannot be reached: {error}") from error
            _log.warning("%s:%s is answered from the cache: %s", target.name, target.reference, error)
            self._metrics.add("argosy_registry_proxy_stale_total")
            answer = manifest_answer(request, stored)
            answer.headers = {**answer.headers, **_STALE}
            return answer
        return manifest_answer(request, fetched)

    def _fresh(self, target: Target) -> bool:
        try:
            return self._now() - os.stat(self._layout.tag(target.name, target.reference)).st_mtime < self._ttl
        except FileNotFoundError:
            return False

    async def _fetch(self, target: Target, stored: Stored | None) -> Stored:
        """Return what the registry behind has, kept here. Raises RegistryError or Unreachable."""
        name, reference = target.name, target.reference
        found = await self._upstream.manifest(name, reference, stored.digest if stored else "")
        if found is None:
            if stored is not None and is_tag(reference):
                await asyncio.to_thread(self._manifests.remove_tag, name, reference)
            raise manifest_unknown(name, reference)
        if found.data is None:
            if stored is None:
                raise Unreachable("it says that we have what we have not")
            await asyncio.to_thread(os.utime, self._layout.tag(name, reference))
            return stored
        view = manifests.read(found.data, found.media_type)
        algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
        fetched = Stored(digests.of(found.data, algorithm), view.media_type, found.data)
        if ":" in reference and fetched.digest != reference:
            raise Unreachable(f"it answered with {fetched.digest} when asked for {reference}")
        tags = [reference] if is_tag(reference) else []
        await asyncio.to_thread(lambda: self._manifests.put(name, fetched, view, tags, sparse=True))
        return fetched

    # ------------------------------------------------------------------ blobs

    async def blob(self, request: Request, target: Target) -> AnyAnswer:
        digest = check_digest(target.reference)
        fd = await asyncio.to_thread(self._blobs.open, target.name, digest)
        if fd is not None:
            try:
                return file_answer(request, digest, fd)
            except BaseException:
                os.close(fd)
                raise
        try:
            return await self._missing(request, target.name, digest)
        except Unreachable as error:
            raise RegistryError("UNAVAILABLE", f"the registry behind cannot be reached: {error}") from error

    async def _missing(self, request: Request, name: str, digest: str) -> AnyAnswer:
        download = self._downloads.get((name, digest))
        size = download.size if download else await self._upstream.blob_size(name, digest)
        if size is None:
            raise blob_unknown(digest)
        if request.method == "HEAD":
            return Answer(200, headers=headers_of(digest), length=size)
        # Another request may have begun it while this one asked for the size.
        download = self._downloads.get((name, digest)) or self._begin(name, digest, size)
        return StreamAnswer(200, size, download.read(), headers_of(digest))

    def _begin(self, name: str, digest: str, size: int) -> Download:
        def count(amount: int) -> None:
            self._metrics.add("argosy_registry_proxy_fetched_bytes_total", amount)

        download = Download(upstream=self._upstream, uploads=self._uploads, name=name, digest=digest, size=size, count=count)
        self._downloads[name, digest] = download
        task = self._tasks.spawn(download.run(), name=f"fetch {name}@{digest}")
        task.add_done_callback(lambda _: self._downloads.pop((name, digest), None))
        return download


def _refused(request: Request, target: Target) -> Awaitable[AnyAnswer]:
    raise RegistryError("UNSUPPORTED", "this registry is a cache of another: push there")
