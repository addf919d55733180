"""``argosy inspect``: whatever has that name."""

from __future__ import annotations

from argosy.cli import inspecting
from argosy.cli.command import SOME, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.flags.kinds import STRING
from argosy.cli.session import Session
from argosy.client import containers, images, networks, volumes
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.client.call import Call

_TYPES = ("container", "image", "network", "volume")


def run(session: Session, values: Values) -> int:
    kind = values.text("type")
    if kind and kind not in (*_TYPES, "node", "service", "task", "plugin", "secret", "config"):
        known = ", ".join(f'"{name}"' for name in _TYPES)
        raise ExitError(1, f'Error: unknown type: "{kind}": must be one of {known}')
    size = values.switch("size")

    def call(of: str, name: str) -> Call[dict[str, object]]:
        if of == "container":
            return containers.inspect(name, size)
        if of == "image":
            return images.inspect(name)
        return networks.inspect(name) if of == "network" else volumes.inspect(name)

    def find(name: str) -> object:
        for of in (kind,) if kind in _TYPES else _TYPES:
            try:
                return session.call(call(of, name))
            except ApiError as error:
                # An argument that no such object can have (400 for an image with capitals) is not this kind of thing either.
                if error.status not in (400, 404) or kind:
                    if error.status == 404:
                        raise ExitError(1, f"Error: No such {of}: {name}") from None
                    raise
        raise ExitError(1, f"Error: No such object: {name}")

    return inspecting.show(values.arguments, values.text("format"), find)


COMMAND = Command(
    run,
    "NAME|ID [NAME|ID...]",
    flags=(
        DOCUMENT_FORMAT,
        Flag("size", "s", help="Display total file sizes if the type is container"),
        Flag("type", "", STRING, "Only inspect objects of the given type"),
    ),
    arity=SOME,
    complete="objects+",
    examples=(("argosy inspect -f '{{json .State}}' web", "one part of it"),),
)
