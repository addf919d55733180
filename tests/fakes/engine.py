"""An engine in memory: what the API needs, with fixed answers and a record of calls."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from argosy.api.ports import Filters, Hijacked
from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError, TooManyRequestsError
from argosy.engine.container_view import ContainerView, Created, CreateRequest
from argosy.engine.model import (
    ContainerSpec,
    ExecSpec,
    ExecState,
    Health,
    HealthLog,
    HostConfig,
    LogConfig,
    Mount,
    MountPoint,
    PortBinding,
    RestartPolicy,
    State,
    Status,
)
from argosy.images.model import HistoryEntry, ImageDetail, ImageSummary
from argosy.network.model import Endpoint, EndpointSettings, NetworkCreate, NetworkView, PortAudit, ReachablePort
from argosy.oci.config import Config, Healthcheck
from argosy.runtime.model import AttachRequest, ExitRecord
from argosy.storage.model import VolumeUsage, VolumeView

NOW = 1_700_000_000_000_000_000
SECOND = 10**9
ID = "a1" * 32
NET = "b2" * 32
IMAGE = "sha256:" + "c3" * 32


def container(
    identifier: str = ID, *, name: str = "web", status: Status = Status.RUNNING, generation: int = 1, **extra: Any
) -> ContainerView:
    """Return a container that uses every feature with a shape of its own."""
    running = status in (Status.RUNNING, Status.PAUSED)
    config = Config(
        hostname=identifier[:12],
        exposed_ports={"80/tcp": {}, "81/udp": {}},
        env=("A=b",),
        cmd=("sleep", "300"),
        healthcheck=Healthcheck(test=("CMD", "true"), interval=SECOND),
        image="busybox",
        labels={"x": "y"},
        tty=bool(extra.pop("tty", False)),
    )
    host = HostConfig(
        network_mode="bridge",
        port_bindings={"80/tcp": (PortBinding("", "8080"),)},
        memory=64 << 20,
        binds=("/etc:/e:ro",),
        mounts=(Mount(type="tmpfs", target="/t"),),
        pids_limit=5,
        cgroupns_mode="private",
        log_config=LogConfig("json-file"),
        restart_policy=RestartPolicy("no"),
    )
    mounts = (
        MountPoint(type="bind", destination="/e", source="/etc", mode="ro", rw=False, propagation="rprivate"),
        MountPoint(type="volume", destination="/v", name="vol", source="/vols/vol", driver="local", mode="z"),
    )
    spec = ContainerSpec(
        id=identifier,
        name=name,
        created=NOW,
        image_id=IMAGE,
        config=config,
        host=host,
        mounts=mounts,
        path="sleep",
        args=("300", "a b"),
    )
    state = State(
        status=status,
        pid=4711 if running else 0,
        started_at=0 if status is Status.CREATED else NOW,
        finished_at=NOW + SECOND if status is Status.EXITED else 0,
        health=Health("healthy", 0, (HealthLog(NOW, NOW + SECOND, 0, "ok"),)),
    )
    endpoint = Endpoint(NET, "e1" * 32, "172.17.0.1", "172.17.0.2", 16, mac_address="02:42:ac:11:00:02") if running else Endpoint(NET)
    return ContainerView(
        spec=spec,
        state=state,
        generation=generation,
        image_name="busybox",
        endpoints={"bridge": endpoint},
        endpoint_settings={"bridge": EndpointSettings()},
        ports={"80/tcp": (("0.0.0.0", "8080"), ("::", "8080")), "81/udp": ()} if running else {},
        exec_ids=("f1" * 32,),
        graph_driver="overlay2",
        graph_data={"LowerDir": "/l", "UpperDir": "/u", "WorkDir": "/w", "MergedDir": "/m"},
        image_manifest=None,
        paths={"resolv_conf": "/c/resolv.conf", "hostname": "/c/hostname", "hosts": "/c/hosts", "log": "/c/json.log"},
        **extra,
    )


async def pieces(*values: Any) -> AsyncIterator[Any]:
    for value in values:
        yield value


async def echo(connection: Hijacked, *, multiplexed: bool, greeting: bytes = b"") -> None:
    """Play the shim: send the greeting, then what comes in, in capitals, until the client has no more; then close."""
    fd, first = await connection.take(multiplexed=multiplexed)
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=fd) as peer:
        peer.setblocking(False)
        await loop.sock_sendall(peer, greeting + first.upper())
        while data := await loop.sock_recv(peer, 1 << 16):
            await loop.sock_sendall(peer, data.upper())
        await loop.sock_sendall(peer, b"<end>")


class Calls:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def note(self, *call: Any) -> None:
        self.calls.append(call)


class FakeContainers(Calls):
    def __init__(self, *views: ContainerView) -> None:
        super().__init__()
        self.views = {view.spec.id: view for view in views}
        self.released = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.received = b""
        self.received_pieces: list[int] = []

    def _find(self, ref: str) -> ContainerView:
        for view in self.views.values():
            if ref in (view.spec.name, view.spec.id):
                return view
        raise NotFoundError(f"No such container: {ref}")

    async def create(self, request: CreateRequest) -> Created:
        self.note("create", request)
        if request.config.image not in ("busybox", ""):
            raise NotFoundError(f"No such image: {request.config.image}:latest")
        if request.name == "web":
            raise ConflictError(f'Conflict. The container name "/web" is already in use by container "{ID}".')
        return Created(ID, ("careful",))

    async def list_(self, *, all: bool, limit: int, size: bool, filters: Filters) -> list[ContainerView]:
        self.note("list", all, limit, size, filters)
        if "nope" in filters:
            raise InvalidParameterError("invalid filter 'nope'")
        return list(self.views.values())

    async def inspect(self, ref: str, *, size: bool = False) -> ContainerView:
        return self._find(ref)

    async def start(self, ref: str, *, detach_keys: str = "", checkpoint: str = "") -> None:
        self._find(ref)
        self.note("start", ref, detach_keys)

    async def stop(self, ref: str, *, timeout: int | None, signal: str = "") -> None:
        self.note("stop", ref, timeout, signal)

    async def restart(self, ref: str, *, timeout: int | None, signal: str = "") -> None:
        self.note("restart", ref, timeout, signal)

    async def kill(self, ref: str, *, signal: str) -> None:
        self.note("kill", ref, signal)

    async def pause(self, ref: str) -> None:
        self.note("pause", ref)

    async def unpause(self, ref: str) -> None:
        self.note("unpause", ref)

    async def rename(self, ref: str, name: str) -> None:
        self.note("rename", ref, name)

    async def update(self, ref: str, changes: Mapping[str, Any]) -> tuple[str, ...]:
        self.note("update", ref, dict(changes))
        return ()

    async def wait(self, ref: str, *, condition: str) -> AsyncIterator[ExitRecord]:
        self._find(ref)
        self.note("wait", ref, condition)
        return self._exit()

    async def _exit(self) -> AsyncIterator[ExitRecord]:
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        yield ExitRecord(3, NOW)

    async def remove(self, ref: str, *, force: bool, volumes: bool, link: bool) -> None:
        self.note("remove", ref, force, volumes, link)

    async def attach(self, ref: str, request: AttachRequest, connection: Hijacked, *, stream: bool, logs: bool) -> None:
        self._find(ref)
        self.note("attach", ref, request, stream, logs)
        await echo(connection, multiplexed=request.multiplexed, greeting=b"hello\n")

    async def resize(self, ref: str, rows: int, columns: int) -> None:
        self._find(ref)
        self.note("resize", ref, rows, columns)

    async def top(self, ref: str, ps_args: str) -> tuple[list[str], list[list[str]]]:
        return ["PID", "CMD"], [["1", "sleep"]]

    async def changes(self, ref: str) -> list[tuple[str, int]]:
        return [("/e", 1)]

    async def export(self, ref: str) -> AsyncIterator[bytes]:
        return pieces(b"tar" * 100_000, b"end")

    async def stats(self, ref: str, *, stream: bool, one_shot: bool) -> AsyncIterator[Mapping[str, Any]]:
        self._find(ref)
        sample = {"read": "2023-11-14T22:13:20Z", "preread": "0001-01-01T00:00:00Z", "num_procs": 0, "name": "/web", "id": ID}
        return self._endless(sample) if stream else pieces(sample)

    async def _endless(self, sample: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        try:
            while True:
                yield sample
                await asyncio.sleep(0.01)
        finally:
            self.cancelled.set()

    async def logs(self, ref: str, **options: Any) -> tuple[bool, AsyncIterator[bytes]]:
        view = self._find(ref)
        self.note("logs", ref, options)
        return view.spec.config.tty, pieces(b"one", b"two")

    async def archive_stat(self, ref: str, path: str) -> Mapping[str, Any]:
        self._find(ref)
        return {"name": path, "size": 1, "mode": 420, "mtime": "2023-11-14T22:13:20Z", "linkTarget": ""}

    async def archive_get(self, ref: str, path: str) -> tuple[Mapping[str, Any], AsyncIterator[bytes]]:
        return await self.archive_stat(ref, path), pieces(b"x" * 300_000)

    async def archive_put(
        self, ref: str, path: str, body: AsyncIterator[bytes], *, no_overwrite_dir_non_dir: bool, copy_uid_gid: bool
    ) -> None:
        self._find(ref)
        parts = [piece async for piece in body]
        self.received, self.received_pieces = b"".join(parts), [len(part) for part in parts]

    async def prune(self, filters: Filters) -> tuple[list[str], int]:
        return [ID], 5

    async def commit(self, ref: str, **options: Any) -> str:
        self._find(ref)
        self.note("commit", ref, options)
        return IMAGE


class FakeExecs(Calls):
    def __init__(self) -> None:
        super().__init__()
        self.spec = ExecSpec(id="f1" * 32, container_id=ID, cmd=("sh", "-c", "true"), attach_stdout=True)

    def _find(self, exec_id: str) -> ExecSpec:
        if exec_id != self.spec.id:
            raise NotFoundError(f"No such exec instance: {exec_id}")
        return self.spec

    async def create(self, ref: str, spec: ExecSpec) -> str:
        self.note("create", ref, spec)
        return self.spec.id

    async def start(
        self, exec_id: str, *, detach: bool, tty: bool, console_size: tuple[int, int] | None, connection: Hijacked | None
    ) -> None:
        self._find(exec_id)
        self.note("start", exec_id, detach, tty, console_size)
        if connection is not None:
            await echo(connection, multiplexed=not tty)

    async def resize(self, exec_id: str, rows: int, columns: int) -> None:
        self._find(exec_id)

    def inspect(self, exec_id: str) -> tuple[ExecSpec, ExecState]:
        return self._find(exec_id), ExecState(running=True, pid=12)

    def list_(self, ref: str) -> list[tuple[ExecSpec, ExecState]]:
        return [self.inspect(self.spec.id)]

    async def kill(self, exec_id: str, signal: str) -> None:
        self._find(exec_id)
        self.note("kill", exec_id, signal)


class FakeImages(Calls):
    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.received = 0

    def _check(self, ref: str) -> None:
        if not ref.startswith("busybox") and ref not in ("registry.example/a/b", IMAGE):
            raise NotFoundError(f"No such image: {ref}:latest")

    async def list_(self, *, all: bool, filters: Filters, shared_size: bool = False, manifests: bool = False) -> list[ImageSummary]:
        self.note("list", all, filters)
        return [
            ImageSummary(IMAGE, "", ("busybox:latest",), (), NOW // SECOND, 1234, -1, 1, None),
            ImageSummary(IMAGE, "", (), (), 0, 0, -1, 0, {}),
        ]

    async def attestations(self, ref: str, *, platform: str, types: Collection[str], whole: bool) -> list[Mapping[str, Any]]:
        self._check(ref)
        self.note("attestations", ref, platform, list(types), whole)
        return []

    async def inspect(self, ref: str, *, platform: str = "", manifests: bool = False) -> ImageDetail:
        self._check(ref)
        return ImageDetail(
            id=IMAGE,
            repo_tags=("busybox:latest",),
            repo_digests=(),
            parent="",
            comment="Imported from -",
            created="2023-11-14T22:13:20Z",
            author="",
            docker_version="",
            architecture="amd64",
            variant="",
            os="linux",
            os_version="",
            size=1234,
            config=Config(cmd=("sh",)),
            graph_driver="overlay2",
            graph_data={"UpperDir": "/u"},
            diff_ids=("sha256:" + "d4" * 32,),
            last_tag_time=NOW,
            descriptor={},
        )

    async def history(self, ref: str, *, platform: str = "") -> list[HistoryEntry]:
        return [HistoryEntry(IMAGE, NOW // SECOND, "import", ("busybox:latest",), 1234, "")]

    async def tag(self, ref: str, repo: str, tag: str) -> None:
        self._check(ref)
        self.note("tag", ref, repo, tag)

    async def remove(self, ref: str, *, force: bool, prune: bool, platforms: Sequence[str] = ()) -> list[Mapping[str, str]]:
        self._check(ref)
        self.note("remove", ref, force, prune, *platforms)
        return [{"Untagged": "busybox:latest"}, {"Deleted": IMAGE}]

    async def load(self, body: AsyncIterator[bytes], *, quiet: bool, platform: str = "") -> AsyncIterator[Mapping[str, Any]]:
        self.note("load", quiet, platform)
        return self._progress(body)

    async def _progress(self, body: AsyncIterator[bytes]) -> AsyncIterator[Mapping[str, Any]]:
        async for piece in body:
            self.received += len(piece)
        yield {"stream": "Loaded image: busybox:latest\n"}
        if self.failure is not None:
            raise self.failure

    async def save(self, refs: Sequence[str], *, platform: str = "") -> AsyncIterator[bytes]:
        self.note("save", list(refs))
        return pieces(b"tar")

    async def import_(self, body: AsyncIterator[bytes], **options: Any) -> AsyncIterator[Mapping[str, Any]]:
        self.note("import", options)
        return self._progress(body)

    async def prune(self, filters: Filters) -> tuple[list[Mapping[str, str]], int]:
        return [], 0


class FakeRegistries(Calls):
    """Knows busybox, and counted, of which somebody has pulled too much; everything else is denied."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None

    async def _messages(self, name: str) -> AsyncIterator[Mapping[str, Any]]:
        if name == "counted":
            raise TooManyRequestsError("toomanyrequests: You have reached your pull rate limit (limit: 100 in 6 hours)")
        if name != "busybox":
            raise NotFoundError(f"pull access denied for {name}")
        yield {"status": "Pulling from library/busybox", "id": "latest"}
        if self.failure is not None:
            raise self.failure
        yield {"status": "Status: Downloaded newer image for busybox:latest"}

    async def pull(self, name: str, tag: str, *, platform: str, auth: str) -> AsyncIterator[Mapping[str, Any]]:
        self.note("pull", name, tag, platform, auth)
        return self._messages(name)

    async def push(self, name: str, tag: str, *, platform: str, auth: str) -> AsyncIterator[Mapping[str, Any]]:
        self.note("push", name, tag, platform, auth)
        return self._messages(name)

    async def login(self, document: Mapping[str, Any]) -> Mapping[str, str]:
        self.note("login", document)
        return {"IdentityToken": "", "Status": "Login Succeeded"}

    async def search(self, term: str, *, limit: int | None, filters: Filters, auth: str) -> list[Mapping[str, Any]]:
        self.note("search", term, limit, filters, auth)
        return [{"name": term, "description": "", "star_count": 1, "is_official": True, "is_automated": False}]

    async def distribution(self, name: str, *, auth: str) -> Mapping[str, Any]:
        self.note("distribution", name, auth)
        descriptor = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": IMAGE, "size": 2}
        return {"Descriptor": descriptor, "Platforms": [{"architecture": "amd64", "os": "linux"}]}


class FakeNetworks(Calls):
    view = NetworkView(
        id=NET,
        name="bridge",
        created=NOW,
        scope="local",
        driver="bridge",
        enable_ipv4=True,
        enable_ipv6=False,
        ipam_driver="default",
        ipam_options=None,
        ipam_config=({"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"},),
        internal=False,
        attachable=False,
        ingress=False,
        config_only=False,
        config_from="",
        options={},
        labels={},
        containers={ID: {"Name": "web", "EndpointID": "e1" * 32, "MacAddress": "", "IPv4Address": "172.17.0.2/16", "IPv6Address": ""}},
    )

    async def create(self, request: NetworkCreate) -> tuple[str, str]:
        self.note("create", request)
        return NET, ""

    async def list_(self, filters: Filters) -> list[NetworkView]:
        return [self.view]

    async def inspect(self, ref: str, *, verbose: bool = False, scope: str = "") -> NetworkView:
        if ref not in (NET, "bridge"):
            raise NotFoundError(f"network {ref} not found")
        return self.view

    async def remove(self, ref: str) -> None:
        self.note("remove", ref)

    async def prune(self, filters: Filters) -> list[str]:
        return ["old"]

    async def connect(self, ref: str, container: str, settings: EndpointSettings) -> None:
        self.note("connect", ref, container, settings)

    async def disconnect(self, ref: str, container: str, *, force: bool) -> None:
        self.note("disconnect", ref, container, force)

    def audit(self) -> PortAudit:
        return PortAudit("open", (ReachablePort(ID, "web", "tcp", "0.0.0.0", 8080, "172.17.0.2", 80, False, ("10.0.0.0/8",)),))

    async def limit(self, ref: str, container: str, *, down: str | None, up: str | None) -> None:
        self.note("limit", ref, container, down, up)


class FakeVolumes(Calls):
    view = VolumeView("vol", "local", "/vols/vol", NOW, {}, {})

    async def create(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> VolumeView:
        self.note("create", name, driver, options, labels)
        return self.view

    async def list_(self, filters: Filters) -> tuple[list[VolumeView], list[str]]:
        return [self.view], []

    async def inspect(self, name: str) -> VolumeView:
        if name != "vol":
            raise NotFoundError(f"get {name}: no such volume")
        return self.view

    async def remove(self, name: str, *, force: bool) -> None:
        self.note("remove", name, force)

    async def prune(self, filters: Filters) -> tuple[list[str], int]:
        self.note("prune", filters)
        return ["vol"], 7


class FakeSystem(Calls):
    def __init__(self) -> None:
        super().__init__()
        self.cancelled = asyncio.Event()

    async def info(self) -> Mapping[str, Any]:
        return {
            "ID": "x",
            "Containers": 1,
            "Driver": "overlay2",
            "SecurityOptions": ["name=seccomp,profile=builtin"],
            "Runtimes": {"argosy": {"path": "argosy-runtime", "status": {"a": "b"}}},
            "RuncCommit": {"ID": "r"},
            "FirewallBackend": {"Driver": "nftables"},
            "Containerd": {"Address": ""},
            "RegistryConfig": {"IndexConfigs": {}, "InsecureRegistryCIDRs": [], "Mirrors": []},
        }

    def version(self) -> Mapping[str, Any]:
        return {"Platform": {"Name": "Argosy"}, "Components": [], "Version": "0.1.0", "Os": "linux", "Arch": "amd64"}

    def ping_headers(self) -> Mapping[str, str]:
        return {"Swarm": "inactive"}

    async def events(self, *, since: int, until: int, filters: Filters) -> AsyncIterator[Mapping[str, Any]]:
        self.note("events", since, until, filters)
        yield {
            "Type": "container",
            "Action": "start",
            "Actor": {"ID": ID, "Attributes": {"image": "busybox", "name": "web"}},
            "scope": "local",
            "time": NOW // SECOND,
            "timeNano": NOW,
        }
        if until:
            return
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    async def disk_usage(self, types: Sequence[str]) -> Mapping[str, Any]:
        return {
            "LayersSize": 1234,
            "Images": await FakeImages().list_(all=True, filters={}),
            "Containers": [container(size_rw=5, size_root_fs=10)],
            "Volumes": [VolumeUsage(FakeVolumes.view, 10, 1)],
            "BuildCache": [],
        }
