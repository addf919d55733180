"""``argosy version``."""

from __future__ import annotations

import sys

from argosy import __version__
from argosy.base.errors import ArgosyError
from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.output.document import templated
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.cli.template.values import to_json
from argosy.client import system, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _client(session: Session, spoken: str) -> dict[str, Any]:
    import os

    machine = os.uname().machine
    return {
        "Version": __version__,
        "ApiVersion": spoken,
        "DefaultAPIVersion": version.show(version.NEWEST),
        "PythonVersion": sys.version.split()[0],
        "Os": "linux",
        "Arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "Context": session.endpoint.context,
    }


def run(session: Session, values: Values) -> int:
    server: dict[str, Any] | None = None
    problem, spoken = "", version.show(version.NEWEST)
    try:
        server = session.call(system.version())
        spoken = session.client.api_version
    except ArgosyError as error:
        problem = describe(error)
    client = _client(session, spoken)
    if form := values.text("format"):
        document = {"Client": client, "Server": server}
        sys.stdout.write((to_json(document) if form in ("json", "jsonl") else _other(document, form)) + "\n")
    else:
        sys.stdout.write(_text(client, server))
    if problem:
        raise ExitError(1, problem)
    return 0


def _other(document: dict[str, Any], form: str) -> str:
    if form == "yaml":
        from argosy.cli.output.yaml import dump

        return dump(document).rstrip("\n")
    return templated(document, form)


def _text(client: dict[str, Any], server: dict[str, Any] | None) -> str:
    lines = [
        "Client:",
        f" Version:           {client['Version']}",
        f" API version:       {client['ApiVersion']}",
        f" Python version:    {client['PythonVersion']}",
        f" OS/Arch:           {client['Os']}/{client['Arch']}",
        f" Context:           {client['Context']}",
    ]
    if server is not None:
        lines += ["", f"Server: {(server.get('Platform') or {}).get('Name') or ''}".rstrip()]
        for component in server.get("Components") or [{"Name": "Engine", "Version": server.get("Version"), "Details": server}]:
            lines += _component(component)
    return "\n".join(lines) + "\n"


def _component(component: dict[str, Any]) -> list[str]:
    details = dict(component.get("Details") or {})
    lines = [f" {component.get('Name')}:", f"  Version:          {component.get('Version')}"]
    if component.get("Name") != "Engine":
        return lines + [f"  {key + ':':<17} {value}".rstrip(" ") for key, value in sorted(details.items())]
    lines.append(f"  API version:      {details.get('ApiVersion')} (minimum version {details.get('MinAPIVersion')})")
    for label, key in (("Go version", "GoVersion"), ("Git commit", "GitCommit"), ("Built", "BuildTime")):
        if details.get(key):
            lines.append(f"  {label + ':':<17} {details[key]}")
    lines.append(f"  OS/Arch:          {details.get('Os')}/{details.get('Arch')}")
    lines.append(f"  Experimental:     {str(details.get('Experimental', 'false')).lower()}")
    return lines


COMMAND = Command(run, flags=(DOCUMENT_FORMAT,))
