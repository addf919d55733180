"""``argosy rm``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.session import Session
from argosy.client import containers
from argosy.client.errors import ApiError


def run(session: Session, values: Values) -> int:
    force = values.switch("force")

    def remove(name: str) -> None:
        name = name.strip("/")
        if not name:
            raise ExitError(1, "Container name cannot be empty")
        try:
            session.call(containers.remove(name, force=force, volumes=values.switch("volumes"), link=values.switch("link")))
        except ApiError as error:
            # docker: what is to be gone by force and is not there is no failure, but is said.
            if not (force and error.status == 404):
                raise
            session.warn(f"Error response from daemon: {error}")

    return each(session, values.arguments, remove)


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        Flag("force", "f", help="Force the removal of a running container (uses SIGKILL)"),
        Flag("link", "l", help="Remove the specified link"),
        Flag("volumes", "v", help="Remove anonymous volumes associated with the container"),
    ),
    arity=SOME,
    complete="containers+",
)
