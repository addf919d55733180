"""``argosy pull``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.images import names
from argosy.cli.images.pull import pull
from argosy.cli.session import Session


def run(session: Session, values: Values) -> None:
    image, everything, quiet = values.arguments[0], values.switch("all-tags"), values.switch("quiet")
    reference = names.parse(image)
    if everything and (reference.tag or reference.digest):
        raise ExitError(1, "tag can't be used with --all-tags/-a")
    if not everything and not reference.tag and not reference.digest and not quiet:
        session.say("Using default tag: latest")
    session.say(pull(session, image, platform=values.text("platform"), quiet=quiet, stream=sys.stdout, all_tags=everything))


COMMAND = Command(
    run,
    "NAME[:TAG|@DIGEST]",
    flags=(
        Flag("all-tags", "a", help="Download all tagged images in the repository"),
        Flag("disable-content-trust", "", help="Skip image verification", default=True, shown="true"),
        Flag("platform", "", STRING, "Set platform if server is multi-platform capable"),
        Flag("quiet", "q", help="Suppress verbose output"),
    ),
    arity=exactly(1),
)
