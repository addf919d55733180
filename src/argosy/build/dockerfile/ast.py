"""What a Dockerfile says, before variables are expanded. A word holds its text as written, quotes and ``$NAME`` included."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """``first`` and ``last`` are line numbers from 1."""

    file: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Instruction:
    location: Location
    original: str
    """The instruction as written, continuation lines joined; what history and progress show."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    name: str
    """Its word; the file's name in COPY and ADD."""
    content: str
    expand: bool
    """False when its word was quoted. The content of ``<<-`` is without leading tabs already."""


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[str, ...]
    """Exec form: the words. Shell form: one, the whole line; none where the line is empty."""
    shell: bool
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True)
class Mount:
    """``RUN --mount``. ``mode``, ``uid``, ``gid`` None where not given; ``size`` in bytes, 0 for no limit.

    Its values may hold variables: before the expansion only ``from_`` (which may not) and perhaps ``type`` are filled in.
    """

    type: str
    target: str = ""
    source: str = ""
    from_: str = ""
    readonly: bool | None = None
    id: str = ""
    sharing: str = "shared"
    required: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int = 0
    env: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Run(Instruction):
    command: Command
    mounts: tuple[Mount, ...] = ()
    network: str = ""
    security: str = ""
    mount_texts: tuple[str, ...] = ()
    """As written; the expansion makes ``mounts`` of them."""


@dataclass(frozen=True, slots=True)
class Cmd(Instruction):
    command: Command


@dataclass(frozen=True, slots=True)
class Entrypoint(Instruction):
    command: Command


@dataclass(frozen=True, slots=True)
class Label(Instruction):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Maintainer(Instruction):
    name: str


@dataclass(frozen=True, slots=True)
class Expose(Instruction):
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Env(Instruction):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Copy(Instruction):
    sources: tuple[str, ...]
    target: str
    heredocs: tuple[Heredoc, ...] = ()
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Add(Instruction):
    sources: tuple[str, ...]
    target: str
    heredocs: tuple[Heredoc, ...] = ()
    chown: str = ""
    chmod: str = ""
    link: bool = False
    excludes: tuple[str, ...] = ()
    checksum: str = ""
    keep_git_dir: bool = False
    unpack: bool | None = None


@dataclass(frozen=True, slots=True)
class Volume(Instruction):
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User(Instruction):
    name: str


@dataclass(frozen=True, slots=True)
class Workdir(Instruction):
    path: str


@dataclass(frozen=True, slots=True)
class ArgPair:
    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Arg(Instruction):
    pairs: tuple[ArgPair, ...]


@dataclass(frozen=True, slots=True)
class Onbuild(Instruction):
    trigger: str
    """The instruction as text; it is parsed when an image built on this one is built."""


@dataclass(frozen=True, slots=True)
class Stopsignal(Instruction):
    signal: str


@dataclass(frozen=True, slots=True)
class Healthcheck(Instruction):
    """``command`` None for NONE. Durations as written, empty where not given."""

    command: Command | None
    interval: str = ""
    timeout: str = ""
    start_period: str = ""
    start_interval: str = ""
    retries: str = ""


@dataclass(frozen=True, slots=True)
class Shell(Instruction):
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """``base`` and ``platform`` unexpanded; ``name`` lower case, empty where not given."""

    number: int
    location: Location
    original: str
    base: str
    name: str
    platform: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    stages: tuple[Stage, ...]
    args: tuple[Arg, ...]
    """Those before the first FROM."""
    escape: str
    syntax: str
    warnings: tuple[str, ...] = ()
    check: str = ""
