"""Read the command line: runc's words and flags, as its callers use them. (argparse costs more than all the rest at start.)"""

from argosy.runtime.oci.errors import RuntimeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Values = dict[str, str | bool | list[str]]

# name → takes a value; a tuple of names means the same flag.
GLOBAL: "dict[str, bool]" = {
    "root": True,
    "log": True,
    "log-format": True,
    "systemd-cgroup": False,
    "debug": False,
    "rootless": True,
    "criu": True,
    "version": False,
    "help": False,
}
_START = {
    "bundle": True,
    "pid-file": True,
    "console-socket": True,
    "no-pivot": False,
    "no-new-keyring": False,
    "preserve-fds": True,
}
_UPDATE = dict.fromkeys(
    (
        "resources",
        "blkio-weight",
        "cpu-period",
        "cpu-quota",
        "cpu-burst",
        "cpu-rt-period",
        "cpu-rt-runtime",
        "cpu-share",
        "cpuset-cpus",
        "cpuset-mems",
        "cpu-idle",
        "kernel-memory",
        "kernel-memory-tcp",
        "memory",
        "memory-reservation",
        "memory-swap",
        "pids-limit",
    ),
    True,
)
COMMANDS: "dict[str, dict[str, bool]]" = {
    "create": _START,
    "run": {**_START, "detach": False, "keep": False, "no-subreaper": False},
    "start": {},
    "state": {},
    "kill": {"all": False},
    "delete": {"force": False},
    "pause": {},
    "resume": {},
    "ps": {"format": True},
    "list": {"format": True, "quiet": False},
    "update": _UPDATE,
    "events": {"interval": True, "stats": False},
    "features": {},
    "spec": {"bundle": True, "rootless": False},
    "exec": {
        "process": True,
        "console-socket": True,
        "pid-file": True,
        "detach": False,
        "tty": False,
        "cwd": True,
        "env": True,
        "user": True,
        "additional-gids": True,
        "apparmor": True,
        "process-label": True,
        "no-new-privs": False,
        "cap": True,
        "preserve-fds": True,
        "ignore-paused": False,
        "cgroup": True,
    },
}
_SHORT = {"b": "bundle", "d": "detach", "t": "tty", "e": "env", "u": "user", "g": "additional-gids", "p": "process", "c": "cap"}
_SHORT_BY_COMMAND = {
    "kill": {"a": "all"},
    "delete": {"f": "force"},
    "ps": {"f": "format"},
    "list": {"f": "format", "q": "quiet"},
    "update": {"r": "resources"},
}
_REPEATED = ("env", "cap", "additional-gids")


class Arguments:
    """``flags`` hold what was given; ``words`` what follows the command."""

    __slots__ = ("command", "flags", "words")

    def __init__(self, command: str, flags: "Values", words: list[str]) -> None:
        self.command = command
        self.flags = flags
        self.words = words

    def text(self, name: str, default: str = "") -> str:
        value = self.flags.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: int = 0) -> int:
        """Raises RuntimeFailed when it is none."""
        value = self.text(name)
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise RuntimeFailed(f'invalid value "{value}" for flag -{name}: parse error') from None

    def given(self, name: str) -> bool:
        return bool(self.flags.get(name))

    def several(self, name: str) -> list[str]:
        value = self.flags.get(name)
        return value if isinstance(value, list) else []

    def container(self) -> str:
        """Return the container's id, the first word. Raises RuntimeFailed."""
        if not self.words:
            raise RuntimeFailed(f"{self.command}: container id cannot be empty")
        return self.words[0]


def parse(argv: "Sequence[str]") -> Arguments:
    """Return the parsed command line. Raises RuntimeFailed."""
    flags: Values = {}
    rest = _flags(list(argv), GLOBAL, {"v": "version", "h": "help"}, flags)
    if flags.get("version") or flags.get("help") or not rest:
        return Arguments("version" if flags.get("version") else "help", flags, [])
    command, *rest = rest
    if command not in COMMANDS:
        raise RuntimeFailed(f"No help topic for '{command}'")
    short = {**_SHORT, **_SHORT_BY_COMMAND.get(command, {})}
    words = _flags(rest, {**GLOBAL, **COMMANDS[command]} if command != "exec" else COMMANDS[command], short, flags)
    # Flags may follow the id as well (``delete ID --force``), except where the rest is the user's own command.
    if command != "exec" and len(words) > 1:
        words = words[:1] + _flags(words[1:], COMMANDS[command], short, flags)
    return Arguments(command, flags, words)


def _flags(words: list[str], known: "dict[str, bool]", short: "dict[str, str]", into: "Values") -> list[str]:
    """Take flags from the front of ``words``; return the rest."""
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            return words[position + 1 :]
        if not word.startswith("-") or word == "-" or word[1:].isdigit():
            break
        name, equals, value = word.lstrip("-").partition("=")
        name = short.get(name, name) if len(name) == 1 else name
        if name not in known:
            raise RuntimeFailed(f"flag provided but not defined: -{name}")
        position += 1
        if known[name]:
            if not equals:
                if position >= len(words):
                    raise RuntimeFailed(f"flag needs an argument: -{name}")
                value = words[position]
                position += 1
            _store(into, name, value)
        else:
            into[name] = value.lower() not in ("false", "0", "f") if equals else True
    return words[position:]


def _store(into: "Values", name: str, value: str) -> None:
    if name in _REPEATED:
        held = into.setdefault(name, [])
        assert isinstance(held, list)
        held.append(value)
    else:
        into[name] = value
