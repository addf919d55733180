"""``argosy port``."""

from __future__ import annotations

from argosy.cli.command import Arity, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.output.ports import host_port
from argosy.cli.session import Session
from argosy.client import containers, networks
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EVERYBODY = {"respect-host": "whom the host's firewall lets in"}


def run(session: Session, values: Values) -> None:
    name = values.arguments[0]
    try:
        found = session.call(containers.inspect(name))
    except ApiError as error:
        # A container may be called so; it comes first, as with docker.
        if name != "audit" or error.status != 404:
            raise
        _audit(session, values.arguments[1:])
        return
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


def _audit(session: Session, named: Sequence[str]) -> None:
    """Say who can reach each published port, of all containers or of those named."""
    found = session.call(networks.ports())
    wanted = {session.call(containers.inspect(name))["Id"] for name in named}
    rows = [port for port in found["Ports"] if not wanted or port["ContainerID"] in wanted]
    everybody = _EVERYBODY.get(found["Policy"], "everybody")
    lines = [("CONTAINER", "PORT", "TO", "REACHABLE BY")]
    for port in sorted(rows, key=lambda one: (one["Name"], one["PrivatePort"], one["IP"])):
        sources = port["From"]
        who = everybody if sources is None else ", ".join(sources) or "this host"
        outside = f"{host_port(port['IP'], port['PublicPort'])}/{port['Type']}"
        lines.append((port["Name"], outside, host_port(port["TargetIP"], port["PrivatePort"]), who))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        session.say("   ".join([*(text.ljust(width) for text, width in zip(line, widths)), line[3]]))


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
    "CONTAINER [PRIVATE_PORT[/PROTO]] | audit [CONTAINER]",
    arity=Arity(1, 2),
    complete="running",
    examples=(("argosy port audit", "who can reach each published port"),),
)
