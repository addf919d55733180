"""Values of the runtime: what is asked of it and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy.oci.runtime_spec import RuntimeSpec
from argosy.storage.model import RootMount


@dataclass(frozen=True, slots=True)
class LogPlan:
    """What the shim does with output; ``none`` keeps nothing."""

    driver: str
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Labels and env written with each line (``--log-opt labels``), and what the tag template needs."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What is mounted in a container and is no path of the host: layers, or a part of a directory that a container wrote to."""

    root: RootMount
    subpath: str = ""
    """The part that is mounted, relative; links may not lead out of the tree."""
    name: str = ""
    """What a message calls it."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    id: str
    spec: RuntimeSpec
    rootfs: RootMount
    log: LogPlan
    terminal: bool
    open_stdin: bool
    stdin_once: bool
    console_size: tuple[int, int]
    """Rows, columns; zeros: the kernel's default."""
    init: bool
    """Run the tiny reaper as PID 1."""
    join: Mapping[str, int] = field(default_factory=dict)
    """Namespace type → pid whose namespace is joined (``container:ID``). The host's own: absent from spec.linux.namespaces."""
    runtime: str = ""
    """Empty: ours; else the path of an OCI runtime (runc, crun)."""
    trees: Mapping[str, Tree] = field(default_factory=dict)
    """By destination: what the specification's bind mount there shows, in place of its source."""
    preserved: Mapping[str, Any] = field(default_factory=dict)
    """Anything the daemon wants back at adoption."""


@dataclass(frozen=True, slots=True)
class ExitRecord:
    exit_code: int
    finished_at: int
    oom_killed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class AttachRequest:
    stdin: bool
    stdout: bool
    stderr: bool
    detach_keys: bytes = b"\x10\x11"
    multiplexed: bool = True
    """Docker's eight-byte frame headers; off for a terminal."""


@dataclass(frozen=True, slots=True)
class ExecRequest:
    exec_id: str
    process: Mapping[str, Any]
    """An OCI ``process`` object; its user already numeric (resolved by the shim's init inside the container if it has a
    ``username`` to look up)."""
    terminal: bool
    console_size: tuple[int, int]
    privileged: bool
    attach: AttachRequest | None
    """None: detached."""
    kill_on_disconnect: bool = False
    """Kill the process when its client is gone; Docker lets it run."""
    start_limit: float = 120.0
    """Seconds after which a start that hangs is given up and killed."""


@dataclass(frozen=True, slots=True)
class Exited:
    """``exec_id`` is empty for the container itself."""

    container_id: str
    exec_id: str
    record: ExitRecord


class StartFailed(Exception):
    """The program could not be started; ``code`` is the container's exit code (125, 126, 127, 128)."""

    def __init__(self, message: str, code: int = 128) -> None:
        super().__init__(message)
        self.code = code


class HoldEnded(Exception):
    """A program that was held up has gone on: what was read of its log since is not all that it said before now."""
