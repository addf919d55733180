"""``argosy context create``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.opts import contexts
from argosy.cli.session import Session
from argosy.client.contexts import Context, ContextStore, check_name

ABOUT = """

Endpoint config (--docker, as in docker's client):

NAME                DESCRIPTION
from                Copy named context's endpoint configuration
host                Endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation"""


def run(session: Session, values: Values) -> None:
    name, store = values.arguments[0], ContextStore(session.directory)
    check_name(name)
    if store.exists(name):
        raise ExitError(1, f'context "{name}" already exists')
    source = values.text("from")
    if source:
        host, skip, tls = contexts.endpoint(store, f"from={source}")
        context = Context(name, host, values.text("description") or store.get(source).description, skip)
    elif values.text("docker"):
        context, tls = contexts.build(store, name, values.text("description"), values.text("docker"))
    else:
        raise ExitError(1, "docker endpoint configuration is required")
    store.put(context, tls or {})
    session.say(name)
    session.warn(f'Successfully created context "{name}"')


COMMAND = Command(
    run,
    "CONTEXT",
    flags=(
        Flag("description", "", STRING, "Description of the context"),
        Flag("docker", "", STRING, "set the endpoint"),
        Flag("from", "", STRING, "create context from a named context", complete="contexts"),
    ),
    arity=exactly(1),
    about="Create a context" + ABOUT,
    examples=(
        ("argosy context create far --docker host=ssh://me@far", "over ssh"),
        ("argosy context create prod --docker host=tcp://prod:2376,ca=ca.pem,cert=c.pem,key=k.pem", ""),
    ),
)
