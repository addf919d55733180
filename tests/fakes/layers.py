"""A whole engine on doubles of the layers below: every act is noted in ``log``, every failure can be ordered by name."""

import random
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from argosy.base.clock import ManualClock
from argosy.base.errors import NotFoundError
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.create import Creator
from argosy.engine.execs import ExecEnds
from argosy.engine.exits import Exits
from argosy.engine.image_mounts import ImageMounts
from argosy.engine.labelling import Labelling
from argosy.engine.mounting import Mounting
from argosy.engine.ports import Shim
from argosy.engine.registry import Registry
from argosy.engine.release import Releaser
from argosy.engine.remove import Remover
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.selinux import Labels
from argosy.engine.settings import EngineSettings
from argosy.engine.spec import SpecInputs
from argosy.engine.start import Starter
from argosy.engine.stop import Stopper
from argosy.engine.store import ContainerStore
from argosy.images.model import ImageView
from argosy.network.model import Endpoint, NetworkRef, Sandbox
from argosy.oci.config import Config
from argosy.runtime.model import Exited, ExitRecord, StartRequest
from argosy.storage.model import Directory, VolumeView
from fakes.shim import FakeShim, Ordered


class FakeDatabase:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    async def put(self, kind: str, key: str, value: bytes) -> None:
        self.kept[kind, key] = value

    async def delete(self, kind: str, key: str) -> None:
        self.kept.pop((kind, key), None)

    def load(self, kind: str) -> dict[str, bytes]:
        return {key: value for (own, key), value in self.kept.items() if own == kind}


class FakeRuntime(Ordered):
    """``dies_at``: the signals that end its programs."""

    def __init__(self, log: list[str], fail: dict[str, Exception]) -> None:
        super().__init__(log, fail)
        self.listeners: list[Callable[[Exited], None]] = []
        self.dies_at = {15, 9}
        self.requests: list[StartRequest] = []

    async def prepare(self, request: StartRequest) -> FakeShim:
        self.requests.append(request)
        self.note("prepare")
        return FakeShim(request.id, self.log, self.fail, tell=partial(self._ended, request.id), dies_at=lambda: self.dies_at)

    async def adopt(self, container_id: str) -> Shim | ExitRecord | None:
        return None

    def known(self) -> list[str]:
        return []

    async def forget(self, container_id: str) -> None:
        self.note("forget")

    def on_exit(self, listener: Callable[[Exited], None]) -> None:
        self.listeners.append(listener)

    def on_oom(self, listener: Callable[[str], None]) -> None:
        pass

    def end(self, container_id: str, code: int) -> None:
        self._ended(container_id, "", code)

    def _ended(self, container_id: str, exec_id: str, code: int) -> None:
        for listener in self.listeners:
            listener(Exited(container_id, exec_id, ExitRecord(exit_code=code, finished_at=10**9)))


class FakeNetworks(Ordered):
    def find(self, name: str) -> NetworkRef:
        if name == "nope":
            raise NotFoundError(f"network {name} not found")
        return NetworkRef(id=name * 8, name=name, driver="bridge")

    def check(self, network: NetworkRef, settings: Any) -> None:
        pass

    async def reserve(self, request: Any) -> Sandbox:
        self.note("reserve")
        return Sandbox(endpoints={"bridge": Endpoint(network_id="n", ip_address="172.17.0.2")}, ports={})

    async def attach(self, container_id: str, pid: int) -> None:
        self.note(f"attach {pid}")

    async def release(self, container_id: str) -> None:
        self.note("release network")

    def resolv_conf(self, request: Any) -> bytes:
        return b"nameserver 1.1.1.1\n"

    def hosts(self, request: Any, sandbox: Sandbox) -> bytes:
        return b"127.0.0.1 localhost\n"

    def rename(self, container_id: str, name: str) -> None:
        self.note(f"rename {name}")


class FakeSnapshots(Ordered):
    driver = "vfs"

    def __init__(self, log: list[str], fail: dict[str, Exception]) -> None:
        super().__init__(log, fail)
        self.made: set[str] = set()

    async def prepare(self, key: str, parent: str | None, size: int = 0) -> Directory:
        self.note("snapshot")
        self.made.add(key)
        return Directory("/nowhere")

    async def mounts(self, key: str) -> Directory:
        return Directory("/nowhere")

    async def view(self, chain: str) -> Directory:
        return Directory(f"/layers/{chain}")

    async def remove(self, key: str) -> None:
        self.note("remove snapshot")
        self.made.discard(key)


class FakeImages:
    async def resolve(self, reference: str, platform: str = "") -> ImageView:
        if reference == "nope":
            raise NotFoundError("No such image: nope:latest")
        return ImageView("sha256:1", "sha256:2", "sha256:3", Config(cmd=("sh",)), "linux", "amd64")


class FakeVolumes(Ordered):
    def __init__(self, log: list[str], fail: dict[str, Exception], root: str) -> None:
        super().__init__(log, fail)
        self.known: dict[str, VolumeView] = {}
        self.root = root

    async def create(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> VolumeView:
        self.note("make volume")
        return self.known.setdefault(name, VolumeView(name, driver, self.root, 0, labels, options))

    def list_(self) -> list[VolumeView]:
        return list(self.known.values())

    def get(self, name: str) -> VolumeView:
        return self.known.get(name) or VolumeView(name, "local", self.root, 0, {}, {})

    async def remove(self, name: str, force: bool) -> None:
        self.note("remove volume")
        self.known.pop(name, None)

    async def mount(self, name: str, user: str) -> str:
        self.note("mount")
        return self.root

    async def unmount(self, name: str, user: str) -> None:
        self.note("unmount")


class FakeWorkers:
    async def run(self, job: str, params: Mapping[str, Any], **more: Any) -> Any:
        return {}


class FakeConfinement:
    def labels(self, spec: Any) -> Labels:
        return Labels()

    async def ready(self, spec: Any) -> None:
        pass

    def inputs(self, spec: Any, **rest: Any) -> SpecInputs:
        return SpecInputs(**{"mounts": (), "files": {}, "cgroups_path": "", "capabilities": (), **rest})


def make_world(tmp_path: Any, candidates: Callable[..., Any] = lambda config, host: ()) -> SimpleNamespace:
    """Return the engine's parts and their doubles by name."""
    log: list[str] = []
    fail: dict[str, Exception] = {}
    clock, supervisor = ManualClock(), Supervisor()
    events = EventBus(clock)
    registry, database = Registry(), FakeDatabase()
    settings = EngineSettings(data_root=str(tmp_path / "data"), exec_root=str(tmp_path / "run"))
    announce, store = Announcer(events), ContainerStore(database, supervisor)
    runtime, networks, snapshots = FakeRuntime(log, fail), FakeNetworks(log, fail), FakeSnapshots(log, fail)
    volumes, sandboxes = FakeVolumes(log, fail, str(tmp_path)), Sandboxes(settings.exec_root)
    releaser = Releaser(networks=networks, volumes=volumes, sandboxes=sandboxes, announce=announce)  # type: ignore[arg-type]
    image_mounts = ImageMounts(registry)
    mounting = Mounting(
        registry=registry,
        volumes=volumes,
        database=database,
        workers=FakeWorkers(),
        candidates=candidates,  # type: ignore[arg-type]
        images=FakeImages(),  # type: ignore[arg-type]
        image_mounts=image_mounts,
    )
    creator = Creator(
        registry=registry, store=store, images=FakeImages(), snapshots=snapshots, mounting=mounting,  # type: ignore[arg-type]
        labelling=Labelling(registry=registry, policy=None, rng=random.Random(1)),
        validate=lambda config, host: (host, ()), networks=networks,
        settings=settings, announce=announce, clock=clock, rng=random.Random(1),
    )  # fmt: skip
    remover = Remover(
        registry=registry, store=store, runtime=runtime, snapshots=snapshots, volumes=volumes, releaser=releaser,  # type: ignore[arg-type]
        mounting=mounting, settings=settings, announce=announce, supervisor=supervisor,
    )  # fmt: skip
    starter = Starter(
        registry=registry, store=store, runtime=runtime, networks=networks, snapshots=snapshots, volumes=volumes,  # type: ignore[arg-type]
        mounting=mounting, releaser=releaser, sandboxes=sandboxes, confinement=FakeConfinement(),  # type: ignore[arg-type]
        remove=remover.auto_remove, health=SimpleNamespace(begin=lambda container: None), settings=settings, announce=announce, clock=clock,  # type: ignore[arg-type]
    )  # fmt: skip
    exits = Exits(
        registry=registry, store=store, runtime=runtime, releaser=releaser, execs=ExecEnds(announce),  # type: ignore[arg-type]
        start=starter.start, remove=remover.auto_remove, announce=announce, supervisor=supervisor,
    )  # fmt: skip
    exits.listen()
    stopper = Stopper(store=store, starter=starter, settings=settings, announce=announce)
    return SimpleNamespace(
        log=log, fail=fail, clock=clock, events=events, registry=registry, database=database, runtime=runtime, networks=networks,
        snapshots=snapshots, volumes=volumes, creator=creator, starter=starter, remover=remover, exits=exits, stopper=stopper,
        settings=settings, supervisor=supervisor, mounting=mounting, store=store, image_mounts=image_mounts,
    )  # fmt: skip


def actions(world: SimpleNamespace) -> list[str]:
    return [event.action for event in world.events.history()]


__all__ = ["Container", "actions", "make_world"]
