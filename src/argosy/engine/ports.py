"""What the engine needs of the layers below it, as small Protocols; `argosy.daemon` wires the real ones in."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from argosy.images.model import CommitRequest, ImageView
from argosy.network.model import EndpointSettings, NetworkRef, PortAudit, Sandbox, SandboxRequest
from argosy.oci.config import Config
from argosy.runtime.model import AttachRequest, ExecRequest, Exited, ExitRecord, StartRequest
from argosy.storage.model import RootMount, VolumeView

# ------------------------------------------------------------------ root filesystems


class Snapshots(Protocol):
    """Layers by chain ID and writable snapshots by container id; all of it on one driver. Coroutines may use threads."""

    driver: str

    async def prepare(self, key: str, parent: str | None, size: int = 0) -> RootMount:
        """Make (or find again) the writable snapshot ``key`` on the layer with chain ID ``parent``; ``size``: bytes that it may hold."""
        ...

    async def mounts(self, key: str) -> RootMount:
        """Return the mount of an existing snapshot. Raises NotFoundError."""
        ...

    async def view(self, chain: str) -> RootMount:
        """Return the mount of a layer and all below it, to be read. Raises NotFoundError."""
        ...

    async def remove(self, key: str) -> None:
        """Rename it to the trash and return; the space is freed later. Absent is fine."""
        ...

    async def changes(self, key: str) -> list[tuple[str, int]]:
        """Return (path, kind) of what the snapshot changes: 0 modified, 1 added, 2 deleted."""
        ...

    async def usage(self, key: str) -> int:
        """Return the bytes that the snapshot itself holds (SizeRw)."""
        ...

    def graph_data(self, key: str) -> Mapping[str, str]:
        """Return ``GraphDriver.Data`` of inspect (LowerDir, UpperDir, WorkDir, MergedDir; empty on vfs)."""
        ...

    def keys(self) -> Sequence[str]:
        """Return the writable snapshots that exist, for the reconciler."""
        ...


# ------------------------------------------------------------------ images


class Images(Protocol):
    async def resolve(self, reference: str, platform: str = "") -> ImageView:
        """Return the image by name, id, id prefix or digest. Raises NotFoundError ``No such image: x:latest``,
        ConflictError on an ambiguous prefix."""
        ...

    def view(self, image_id: str) -> ImageView | None:
        """Return a known image by its full id at once, None when it is gone."""
        ...

    def display_name(self, image_id: str, reference: str) -> str:
        """Return how ``ps`` names it now: the reference while it still points there, else the id."""
        ...

    def descendants(self, reference: str) -> Collection[str]:
        """Return the ids of the image and of all images built on it (``ancestor`` filter); empty when unknown."""
        ...

    def changed(self, config: Config, changes: Sequence[str]) -> Config:
        """Return the configuration after ``--change`` instructions. Raises InvalidParameterError."""
        ...

    async def commit(self, request: CommitRequest) -> str:
        """Add the snapshot's diff as one layer to the container's image; return the new image's id."""
        ...


# ------------------------------------------------------------------ the runtime


class Confined(Protocol):
    """The processes of a container as one: its cgroup."""

    def kill_all(self) -> None:
        """SIGKILL to everything in it."""
        ...

    async def pause(self) -> None:
        """Freeze its processes. Raises ConflictError when they have ended."""
        ...

    async def resume(self) -> None:
        """Thaw them; what has ended needs none of it."""
        ...

    def paused(self) -> bool:
        """Return whether its processes stand still."""
        ...

    async def update(self, resources: Mapping[str, object]) -> None:
        """Apply OCI ``linux.resources``."""
        ...

    def processes(self) -> list[int]:
        """Return host pids of all its processes."""
        ...

    def sample(self) -> Mapping[str, object]:
        """Return its counters, in the Engine API's names: cpu_stats, memory_stats, blkio_stats, pids_stats."""
        ...


class Shim(Confined, Protocol):
    """One running (or prepared) container, reached through its shim."""

    id: str
    pid: int
    pid_start: int

    async def release(self) -> None:
        """Let the prepared init execute the user's program; returns when execve succeeded.

        Raises StartFailed with Docker's words and code 126, 127 or 128.
        """
        ...

    async def abandon(self) -> None:
        """End a start that failed: a prepared container is taken back, one that runs already is killed."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to the container's init by pidfd. Raises NotFoundError when it is gone."""
        ...

    async def hold(self) -> str:
        """Hold the program's output up, for a second at most, so that its log stands still; return a token for `attach`.

        Empty: this shim cannot. Raises ConflictError when it has ended.
        """
        ...

    async def attach(self, request: AttachRequest, sock: int, first: bytes, hold: str = "") -> "asyncio.Future[None]":
        """Hand the client's socket (a duplicate is passed to the shim) over; ``first`` is input already read.

        With ``hold`` the client gets exactly what follows on the log as it stands; raises HoldEnded when the program has gone on
        in between. The future ends when the shim let the client go (end of output, detach keys, client gone).
        """
        ...

    async def exec(self, request: ExecRequest, sock: int | None, first: bytes) -> int:
        """Start a process in the container and return its pid. Raises StartFailed. Its end comes by ``on_exit``.

        A start may hang (a file system that does not answer, a container that is paused meanwhile): `signal_exec` ends it, a
        cancellation of this does, and so does ``request.start_limit``.
        """
        ...

    async def signal_exec(self, exec_id: str, number: int) -> None:
        """Signal an exec's process. Raises NotFoundError when it does not run.

        One that is still starting is ended by SIGHUP, SIGINT, SIGQUIT, SIGKILL and SIGTERM; what else comes too early raises
        ConflictError.
        """
        ...

    async def resize(self, exec_id: str, rows: int, columns: int) -> None: ...

    async def flush_logs(self) -> None:
        """Return when all output received so far can be read from the log file."""
        ...


class Runtime(Protocol):
    async def prepare(self, request: StartRequest) -> Shim:
        """Start a shim and an init that waits, in its namespaces and cgroup, before the user's program.

        The network namespace can be reached by /proc/PID/ns/net. Raises StartFailed; then nothing is left.
        """
        ...

    async def adopt(self, container_id: str) -> Shim | ExitRecord | None:
        """After a restart of the daemon: the shim that still lives, or how it ended, or None if nothing is known."""
        ...

    def known(self) -> Sequence[str]:
        """Return the ids for which state exists on this host, for the reconciler."""
        ...

    async def forget(self, container_id: str) -> None:
        """Remove what is left of a stopped container's runtime state (records, cgroups). Absent is fine."""
        ...

    def on_exit(self, listener: Callable[[Exited], None]) -> None: ...

    def on_oom(self, listener: Callable[[str], None]) -> None: ...


# ------------------------------------------------------------------ networks


class Networks(Protocol):
    def find(self, name_or_id: str) -> NetworkRef:
        """Raises NotFoundError ``network x not found``; ConflictError when ambiguous."""
        ...

    def check(self, network: NetworkRef, settings: EndpointSettings) -> None:
        """Raise InvalidParameterError in Docker's words for what can be seen to be wrong before a start."""
        ...

    async def reserve(self, request: SandboxRequest) -> Sandbox:
        """Allocate addresses and really bind the host ports; nothing of the container need exist yet.

        Raises with nothing kept (``Bind for 0.0.0.0:80 failed: port is already allocated``).
        """
        ...

    async def attach(self, container_id: str, netns_pid: int) -> None:
        """Make the reserved endpoints real in the network namespace of that process: links, routes, names, ports."""
        ...

    async def release(self, container_id: str) -> None:
        """Undo reserve and attach; never fails; slow parts go on in the background."""
        ...

    async def connect(self, container_id: str, netns_pid: int, network: NetworkRef, settings: EndpointSettings) -> Sandbox: ...

    async def disconnect(self, container_id: str, network: NetworkRef) -> Sandbox: ...

    async def limit(self, container_id: str, network: NetworkRef, settings: EndpointSettings) -> None:
        """Give an endpoint of a running container the limits that these settings ask for (`network.bandwidth`)."""
        ...

    def rename(self, container_id: str, name: str) -> None:
        """Answer DNS by the new name."""
        ...

    async def adopt(self, running: Mapping[str, tuple[int, SandboxRequest, Sandbox]]) -> None:
        """After a restart: take up what these containers hold, and take down all else that carries our id."""
        ...

    def audit(self) -> PortAudit:
        """Return who can reach which published port."""
        ...

    def resolv_conf(self, request: SandboxRequest) -> bytes: ...

    def hosts(self, request: SandboxRequest, sandbox: Sandbox) -> bytes: ...


# ------------------------------------------------------------------ volumes


class Volumes(Protocol):
    async def create(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> VolumeView:
        """Return the new volume, or the existing one of that name and driver; an empty name makes an anonymous one."""
        ...

    def get(self, name: str) -> VolumeView:
        """Raises NotFoundError ``get x: no such volume``."""
        ...

    def list_(self) -> Sequence[VolumeView]: ...

    async def remove(self, name: str, force: bool) -> None: ...

    async def mount(self, name: str, user: str) -> str:
        """Make it usable (tmpfs, nfs, … are mounted now) and return the host path; ``user`` is the container's id."""
        ...

    async def unmount(self, name: str, user: str) -> None: ...

    async def size(self, name: str) -> int: ...
