"""``argosy rmi``."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.command import SOME, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRINGS
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.client import images
from argosy.client.errors import ApiError, ConnectionFailedError


def run(session: Session, values: Values) -> int:
    force, problems, fatal = values.switch("force"), [], False
    for name in values.arguments:
        try:
            found = session.call(images.remove(name, force=force, no_prune=values.switch("no-prune"), platforms=values.texts("platform")))
        except ConnectionFailedError:
            raise
        except ArgosyError as error:
            fatal = fatal or not (isinstance(error, ApiError) and error.status == 404)
            problems.append(describe(error))
            continue
        for row in found:
            session.say(f"Deleted: {row['Deleted']}" if row.get("Deleted") else f"Untagged: {row.get('Untagged', '')}")
    if problems:
        # With --force an image that is not there is only mentioned.
        raise ExitError(0 if force and not fatal else 1, "\n".join(problems))
    return 0


COMMAND = Command(
    run,
    "IMAGE [IMAGE...]",
    flags=(
        Flag("force", "f", help="Force removal of the image"),
        Flag("no-prune", "", help="Do not delete untagged parents"),
        Flag("platform", "", STRINGS, 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    ),
    arity=SOME,
    complete="images+",
)
