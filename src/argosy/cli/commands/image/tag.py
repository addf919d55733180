"""``argosy tag``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Values
from argosy.cli.images import names
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    source, target = values.arguments
    reference = names.parse(target)
    session.call(images.tag(source, reference.familiar_name, reference.tag or "latest"))


COMMAND = Command(
    run,
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    arity=exactly(2),
    complete="images+",
)
