"""What the builder needs of the layers beside and below it, as small Protocols; `argosy.daemon` wires the real ones in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from argosy.images.distribution.credentials import ANONYMOUS, Credentials
from argosy.images.model import ImageView
from argosy.images.record import Image
from argosy.oci.image import ImageConfig
from argosy.oci.reference import Reference
from argosy.storage.model import RootMount

Heard = Callable[[int, bytes], None]
"""Takes output of a program as it comes, with its stream: 1 stdout, 2 stderr."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the programs of a build; zero and empty: not bound. Sizes in bytes."""

    memory: int = 0
    memory_swap: int = 0
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    shm_size: int = 0
    ulimits: tuple[tuple[str, int, int], ...] = ()
    """Name, soft, hard."""
    cgroup_parent: str = ""


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Bind:
    target: str
    source: str
    """Path on the host."""
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    target: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class RunStep:
    """One program of a build, with everything that it sees."""

    id: str
    """64 hex digits; 12 of them are shown."""
    root: RootMount
    args: tuple[str, ...]
    env: tuple[str, ...]
    user: str
    cwd: str
    network: str = ""
    """``""`` and ``default``: the default bridge; ``none``, ``host``, a network's name, ``container:NAME``."""
    mounts: tuple[Bind | Tmpfs, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS


class Runner(Protocol):
    """Runs programs in containers that are made for one step and seen by nobody."""

    async def run(self, step: RunStep, heard: Heard) -> int:
        """Return the exit code; ``heard`` has had all output by then. Cancelled, the program is killed.

        Raises InvalidParameterError (it cannot be executed, or a limit or network cannot be) or SystemFailureError; then nothing is left.
        """
        ...


class Images(Protocol):
    def find(self, text: str, platform: str = "") -> Image:
        """Return a local image, of its index that for ``platform``.

        Raises NotFoundError ``No such image: x:latest``, InvalidParameterError on a name that cannot be.
        """
        ...

    async def pull(
        self, reference: str, *, platform: str = "", auth: Credentials = ANONYMOUS, progress: Callable[[Mapping[str, Any]], None] = ...
    ) -> ImageView:
        """Bring an image, its name included, from its registry; ``progress`` takes Docker's messages.

        Raises NotFoundError (``pull access denied …``), UnauthorizedError, UnavailableError.
        """
        ...

    async def add_built(self, config: ImageConfig, *, base: Image | None, references: Sequence[Reference]) -> str:
        """Record an image whose layers are there; return its id. Its names are moved to it."""
        ...

    def needed_chains(self) -> frozenset[str]:
        """Return the chain IDs of the layers that images or containers need."""
        ...

    def layer_chains(self) -> frozenset[str]:
        """Return the chain IDs that images stand on, those below their tops too."""
        ...

    async def collect(self) -> int:
        """Remove the layers and blobs that nothing needs any more; return the bytes freed."""
        ...
