"""Every verb and where it lives. The only table of commands; nothing here imports one before it is asked for.

Summaries stand here too, so that ``argosy --help`` and completion load no command.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.command import Command

_CONTAINER = {
    "attach": "Attach local standard input, output, and error streams to a running container",
    "commit": "Create a new image from a container's changes",
    "cp": "Copy files/folders between a container and the local filesystem",
    "create": "Create a new container",
    "diff": "Inspect changes to files or directories on a container's filesystem",
    "exec": "Execute a command in a running container",
    "export": "Export a container's filesystem as a tar archive",
    "inspect": "Display detailed information on one or more containers",
    "kill": "Kill one or more running containers",
    "logs": "Fetch the logs of a container",
    "ls": "List containers",
    "pause": "Pause all processes within one or more containers",
    "port": "List port mappings or a specific mapping for the container",
    "prune": "Remove all stopped containers",
    "rename": "Rename a container",
    "restart": "Restart one or more containers",
    "rm": "Remove one or more containers",
    "run": "Create and run a new container from an image",
    "start": "Start one or more stopped containers",
    "stats": "Display a live stream of container(s) resource usage statistics",
    "stop": "Stop one or more running containers",
    "top": "Display the running processes of a container",
    "unpause": "Unpause all processes within one or more containers",
    "update": "Update configuration of one or more containers",
    "wait": "Block until one or more containers stop, then print their exit codes",
    "execs": "List the programs that exec runs in a container",
    "exec-kill": "Send a signal to a program that exec runs",
}
_IMAGE = {
    "bootstrap": "Make an image of a Debian or Ubuntu release with debootstrap",
    "build": "Build an image from a Dockerfile",
    "history": "Show the history of an image",
    "import": "Import the contents from a tarball to create a filesystem image",
    "inspect": "Display detailed information on one or more images",
    "load": "Load an image from a tar archive or STDIN",
    "ls": "List images",
    "prune": "Remove unused images",
    "pull": "Download an image from a registry",
    "push": "Upload an image to a registry",
    "rm": "Remove one or more images",
    "save": "Save one or more images to a tar archive (streamed to STDOUT by default)",
    "tag": "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
}
_NETWORK = {
    "connect": "Connect a container to a network",
    "create": "Create a network",
    "disconnect": "Disconnect a container from a network",
    "inspect": "Display detailed information on one or more networks",
    "ls": "List networks",
    "prune": "Remove all unused networks",
    "rm": "Remove one or more networks",
}
_VOLUME = {
    "create": "Create a volume",
    "inspect": "Display detailed information on one or more volumes",
    "ls": "List volumes",
    "prune": "Remove unused local volumes",
    "rm": "Remove one or more volumes",
}
_REGISTRY = {
    "gc": "Remove what nobody needs from a registry's folder",
    "serve": "Serve an image registry",
}
_SYSTEM = {
    "df": "Show disk usage",
    "dial-stdio": "Proxy the stdio stream to the daemon connection. Should not be invoked manually.",
    "events": "Get real time events from the server",
    "info": "Display system-wide information",
    "prune": "Remove unused data",
}
_CONTEXT = {
    "create": "Create a context",
    "export": "Export a context to a tar archive FILE or a tar stream on STDOUT",
    "import": "Import a context from a tar or zip file",
    "inspect": "Display detailed information on one or more contexts",
    "ls": "List contexts",
    "rm": "Remove one or more contexts",
    "show": "Print the name of the current context",
    "update": "Update a context",
    "use": "Set the current context",
}
_BUILDER = {
    "build": "Build an image from a Dockerfile",
    "prune": "Remove build cache",
}


class Group:
    """A noun with its verbs; ``aliases`` are further names of a verb."""

    __slots__ = ("aliases", "summary", "verbs")

    def __init__(self, summary: str, verbs: dict[str, str], aliases: dict[str, str]) -> None:
        self.summary = summary
        self.verbs = verbs
        self.aliases = aliases


_LIST = {"list": "ls"}
_REMOVE = {"remove": "rm"}
GROUPS = {
    "builder": Group("Manage builds", _BUILDER, {}),
    "container": Group("Manage containers", _CONTAINER, {**_LIST, "ps": "ls", **_REMOVE}),
    "context": Group("Manage contexts", _CONTEXT, {**_LIST, **_REMOVE}),
    "image": Group("Manage images", _IMAGE, {**_LIST, **_REMOVE}),
    "network": Group("Manage networks", _NETWORK, {**_LIST, **_REMOVE}),
    "registry": Group("Run an image registry", _REGISTRY, {}),
    "system": Group("Manage Argosy", _SYSTEM, {}),
    "volume": Group("Manage volumes", _VOLUME, {**_LIST, **_REMOVE}),
}

COMMON = ("run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info", "doctor")

# Short form → noun and verb. What has no noun lives in commands/top_level/.
_SHORT = {
    **{verb: f"container {verb}" for verb in _CONTAINER if verb not in ("ls", "inspect", "prune", "execs", "exec-kill")},
    **{verb: f"image {verb}" for verb in ("build", "history", "import", "load", "pull", "push", "save", "tag")},
    "ps": "container ls",
    "images": "image ls",
    "rmi": "image rm",
    "events": "system events",
    "info": "system info",
}
_ALONE = {
    "completion": "Print the completion script for your shell",
    "doctor": "Check what this machine offers to containers and how to mend what is missing",
    "inspect": "Return low-level information on objects",
    "login": "Authenticate to a registry",
    "logout": "Log out from a registry",
    "search": "Search a registry for images",
    "version": "Show the version information",
}
VERBS = {**_SHORT, **{verb: verb for verb in _ALONE}}


def resolve(words: list[str]) -> tuple[str, list[str]]:
    """Return the full path of the verb that the words begin with, and the words left over.

    The path is ``""`` for no such verb, ``noun`` alone when only the noun was given.
    """
    first = words[0]
    group = GROUPS.get(first)
    if group is None:
        return (VERBS[first], words[1:]) if first in VERBS else ("", words)
    if len(words) < 2 or words[1].startswith("-"):
        return first, words[1:]
    verb = group.aliases.get(words[1], words[1])
    return (f"{first} {verb}", words[2:]) if verb in group.verbs else (first, words[1:])


def summary_of(path: str) -> str:
    """Return the summary of ``argosy container ls`` or ``argosy ps``."""
    words = path.split()[1:]
    full = VERBS.get(words[0], "") if len(words) == 1 else " ".join(words)
    noun, _, verb = full.partition(" ")
    return GROUPS[noun].verbs[GROUPS[noun].aliases.get(verb, verb)] if verb else _ALONE.get(noun, "")


def paths_of(path: str) -> list[str]:
    """Return every way to write the same command, as help lists them."""
    words = path.split()[1:]
    if len(words) == 1:
        full = VERBS[words[0]]
    else:
        full = f"{words[0]} {GROUPS[words[0]].aliases.get(words[1], words[1])}"
    noun, _, verb = full.partition(" ")
    if not verb:
        return [path]
    longer = [verb, *(alias for alias, of in GROUPS[noun].aliases.items() if of == verb)]
    return [f"argosy {noun} {name}" for name in longer] + [f"argosy {short}" for short, of in _SHORT.items() if of == full]


def load(full: str) -> Command:
    """Import the module of a verb and return its command."""
    from importlib import import_module

    noun, _, verb = full.partition(" ")
    name = verb or noun
    # A module may not be called import, and ls would hide nothing but reads badly.
    module = {"import": "import_", "ls": "list_", "exec": "exec_"}.get(name, name.replace("-", "_"))
    package = noun if verb else "top_level"
    command: Command = import_module(f"argosy.cli.commands.{package}.{module}").COMMAND
    return command
