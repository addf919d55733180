"""``argosy image inspect``."""

from __future__ import annotations

from argosy.cli import inspecting
from argosy.cli.command import SOME, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.flags.kinds import STRING
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> int:
    platform = values.text("platform")
    return inspecting.show(values.arguments, values.text("format"), lambda name: session.call(images.inspect(name, platform)))


COMMAND = Command(
    run,
    "IMAGE [IMAGE...]",
    flags=(DOCUMENT_FORMAT, Flag("platform", "", STRING, "Inspect a specific platform of the multi-platform image: 'os[/arch[/variant]]'")),
    arity=SOME,
    complete="images+",
)
