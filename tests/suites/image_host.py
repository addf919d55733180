"""Storage and images as the daemon wires them, for tests."""

import asyncio

from argosy.base.clock import ManualClock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.build.dockerfile import changes
from argosy.images.distribution.settings import RegistrySettings, Timeouts
from argosy.images.store import ImageStore
from argosy.storage.content import Content
from argosy.storage.database import Database
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.layers import Layers
from argosy.storage.snapshots import Snapshots
from suites.fork_workers import ForkWorkers

QUICK = RegistrySettings(retry_delay=0, timeouts=Timeouts(connect=5, answer=5))


def statuses(messages):
    """Return what a pull or push told, without the messages of bytes."""
    return [message["status"] for message in messages if "status" in message and "progress" not in message]


class Host:
    """Storage and images as the daemon wires them, in one directory."""

    def __init__(self, root, driver=None, *, registries=None, resolver=None):
        self.root = root
        self.registries = registries or RegistrySettings()
        self.resolver = resolver
        self.make_driver = driver or (lambda home, workers: Overlay2(home))
        self.clock = ManualClock()
        self.used = {}

    async def start(self):
        self.supervisor = Supervisor()
        workers = ForkWorkers()
        self.db = Database(self.root / "state.db")
        self.db.open()
        self.events = EventBus(self.clock)
        self.content = Content(self.root / "content")
        self.content.open()
        home = self.root / "overlay2"
        home.mkdir(exist_ok=True)
        self.layers = Layers(home, self.make_driver(home, workers), workers=workers, supervisor=self.supervisor)
        self.layers.open()
        self.snapshots = Snapshots(self.layers)
        self.snapshots.open()
        self.images = ImageStore(
            db=self.db,
            content=self.content,
            snapshots=self.snapshots,
            events=self.events,
            clock=self.clock,
            scratch=self.root / "tmp",
            changes=changes.apply,
            supervisor=self.supervisor,
            registries=self.registries,
            resolver=self.resolver,
            users=lambda image: self.used.get(image, ()),
        )
        await self.images.open()
        return self

    async def settled(self):
        """Wait until what was removed is gone."""
        while self.supervisor._tasks:
            await asyncio.gather(*list(self.supervisor._tasks), return_exceptions=True)

    async def stop(self):
        await self.settled()
        self.db.close()

    async def restart(self):
        await self.stop()
        return await self.start()

    # ------------------------------------------------------------ in short

    async def load(self, data, **options):
        return [message async for message in await self.images.load(chunks(data), **{"quiet": True, **options})]

    async def save(self, *refs, **options):
        return b"".join([chunk async for chunk in await self.images.save(refs, **options)])

    async def import_(self, data, repo="", tag="", changes=(), message="", platform=""):
        stream = await self.images.import_(chunks(data), repo=repo, tag=tag, message=message, changes=changes, platform=platform)
        return [message async for message in stream][-1]["status"]

    async def pull(self, name, tag="", *, platform="", auth=""):
        return [message async for message in await self.images.registries.pull(name, tag, platform=platform, auth=auth)]

    async def push(self, name, tag="", *, platform="", auth=""):
        return [message async for message in await self.images.registries.push(name, tag, platform=platform, auth=auth)]

    def left(self):
        """Return what the store holds on disk: (layers, blobs, asides, ingests, scratch files)."""
        home = self.root / "overlay2"
        return (
            sorted(path.name for path in (home / "layers").iterdir()),
            sorted(path.name for path in (self.root / "content" / "blobs").glob("*/*")),
            list((home / "aside").iterdir()),
            list((self.root / "content" / "ingest").iterdir()),
            list((self.root / "tmp").iterdir()),
        )

    def actions(self):
        return [event.action for event in self.events.history() if event.type == "image"]


async def chunks(data, size=65536):
    for at in range(0, len(data), size):
        yield data[at : at + size]
