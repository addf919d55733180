"""``argosy login``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, at_most
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.images.credentials import HUB, Logins, bare_host
from argosy.cli.session import Session
from argosy.client import system


def run(session: Session, values: Values) -> None:
    registry = registry_key(values.arguments[0] if values.arguments else "")
    username, password = _asked(session, values, registry)
    answer = session.call(system.auth({"username": username, "password": password, "serveraddress": registry}))
    # A registry may hand out a token to keep in place of the password.
    token = str(answer.get("IdentityToken") or "")
    where = Logins(session).store(registry, "<token>" if token else username, token or password)
    if where.endswith("config.json"):
        session.warn(f"WARNING! Your password is stored unencrypted in {where}.\nConfigure a credential helper to avoid this (credsStore).")
    session.say(str(answer.get("Status") or "Login Succeeded"))


def registry_key(said: str) -> str:
    host = bare_host(said)
    return HUB if host in ("", "docker.io", "index.docker.io", "registry-1.docker.io") else host


def _asked(session: Session, values: Values, registry: str) -> tuple[str, str]:
    username, password = values.text("username"), values.text("password")
    if password:
        session.warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
        if values.switch("password-stdin"):
            raise ExitError(1, "conflicting options: cannot specify both --password and --password-stdin")
    if values.switch("password-stdin"):
        if not username:
            raise ExitError(1, "the --password-stdin option requires --username to be set")
        password = sys.stdin.readline().rstrip("\r\n")
    known = Logins(session).get(registry)
    if not username and not password and known.get("password"):
        session.say("Authenticating with existing credentials...")
        return str(known["username"]), str(known["password"])
    if not sys.stdin.isatty() and not (username and password):
        raise ExitError(1, "Error: Cannot perform an interactive login from a non TTY device")
    username = username or input("Username: ").strip()
    if not password:
        from getpass import getpass

        password = getpass("Password: ")
    if not username or not password:
        raise ExitError(1, "Error: username and password are required")
    return username, password


COMMAND = Command(
    run,
    "[SERVER]",
    flags=(
        Flag("password", "p", STRING, "Password or Personal Access Token (PAT)"),
        Flag("password-stdin", "", help="Take the Password or Personal Access Token (PAT) from stdin"),
        Flag("username", "u", STRING, "Username"),
    ),
    arity=at_most(1),
    about="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
)
