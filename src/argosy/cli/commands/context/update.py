"""``argosy context update``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.commands.context.create import ABOUT
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.opts import contexts
from argosy.cli.session import Session
from argosy.client.contexts import Context, ContextStore


def run(session: Session, values: Values) -> None:
    name, store = values.arguments[0], ContextStore(session.directory)
    before = store.get(name)
    description = values.text("description") if values.given("description") else before.description
    tls: dict[str, bytes] | None = None
    context = Context(name, before.host, description, before.skip_tls_verify)
    if values.text("docker"):
        context, found = contexts.build(store, name, description, values.text("docker"))
        tls = found or {}
    store.put(context, tls)
    session.say(name)
    session.warn(f'Successfully updated context "{name}"')


COMMAND = Command(
    run,
    "CONTEXT",
    flags=(Flag("description", "", STRING, "Description of the context"), Flag("docker", "", STRING, "set the endpoint")),
    arity=exactly(1),
    complete="contexts",
    about="Update a context" + ABOUT,
)
