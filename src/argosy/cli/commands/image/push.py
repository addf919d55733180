"""``argosy push``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.images import names
from argosy.cli.images.credentials import Logins, registry_of
from argosy.cli.output.progress import Transfers
from argosy.cli.session import Session
from argosy.client import images

_PARTLY = "Not all multiplatform-content is present and only the available single-platform image was pushed"


def run(session: Session, values: Values) -> None:
    everything, quiet = values.switch("all-tags"), values.switch("quiet")
    reference = names.parse(values.arguments[0])
    if everything and (reference.tag or reference.digest):
        raise ExitError(1, "tag can't be used with --all-tags/-a")
    if not everything and not reference.tag and not reference.digest:
        reference = reference.tagged()
        if not quiet:
            session.say("Using default tag: latest")
    told: list[str] = []
    auth = Logins(session).header(registry_of(reference.domain))
    with Transfers(sys.stdout, session.environ, quiet=quiet) as transfers:
        for event in session.stream(images.push(reference.familiar_name, reference.tag, platform=values.text("platform"), auth=auth)):
            transfers.show(event)
            part = event.get("aux") or {}
            if part.get("manifestPushedInsteadOfIndex"):
                told.append(f"{part['originalIndex']['digest']} -> {part['selectedManifest']['digest']}")
    for line in told:
        # Beside the output, which scripts read.
        print(f"\n Info -> {_PARTLY}\n         {line}", file=sys.stderr)
    if quiet:
        session.say(str(reference))


COMMAND = Command(
    run,
    "NAME[:TAG]",
    flags=(
        Flag("all-tags", "a", help="Push all tags of an image to the repository"),
        Flag("disable-content-trust", "", help="Skip image signing", default=True, shown="true"),
        Flag("platform", "", STRING, "Push a platform-specific manifest as a single-platform image: 'os[/arch[/variant]]'"),
        Flag("quiet", "q", help="Suppress verbose output"),
    ),
    arity=exactly(1),
    complete="images",
)
