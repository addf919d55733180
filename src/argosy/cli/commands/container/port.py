"""``argosy port``."""

from __future__ import annotations

from argosy.cli.command import Arity, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.output.ports import host_port
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    name = values.arguments[0]
    found = session.call(containers.inspect(name))
    ports = (found.get("NetworkSettings") or {}).get("Ports") or {}
    if len(values.arguments) > 1:
        _one(session, ports, values.arguments[1], name)
        return
    lines = [
        f"{port} -> {host_port(binding.get('HostIp', ''), binding.get('HostPort', ''))}"
        for port in sorted(ports, key=_order)
        for binding in ports[port] or []
    ]
    for line in lines:
        session.say(line)


def _order(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number) if number.isdecimal() else 0, protocol


def _one(session: Session, ports: dict[str, list[dict[str, str]] | None], wanted: str, name: str) -> None:
    number, _, protocol = wanted.partition("/")
    if not number.isdecimal():
        raise ExitError(1, f"Error: invalid port ({number}): invalid syntax")
    bindings = ports.get(f"{number}/{protocol or 'tcp'}")
    if not bindings:
        raise ExitError(1, f"Error: No public port '{wanted}' published for {name}")
    for binding in bindings:
        session.say(host_port(binding.get("HostIp", ""), binding.get("HostPort", "")))


COMMAND = Command(
    run,
    "CONTAINER [PRIVATE_PORT[/PROTO]]",
    arity=Arity(1, 2),
    complete="running",
)
