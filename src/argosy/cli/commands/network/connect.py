"""``argosy network connect``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import INT, LIST, STRING, STRINGS
from argosy.cli.opts import networks as options
from argosy.cli.opts import pairs
from argosy.cli.session import Session
from argosy.client import networks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> None:
    network, container = values.arguments
    ipam: dict[str, Any] = {}
    for key, flag in (("IPv4Address", "ip"), ("IPv6Address", "ip6")):
        if values.text(flag):
            ipam[key] = values.text(flag)
    if local := values.texts("link-local-ip"):
        ipam["LinkLocalIPs"] = local
    rates = {option: values.text(flag) for flag, option in options.RATES.items() if values.text(flag)}
    endpoint: dict[str, Any] = {
        "IPAMConfig": ipam,
        "Links": values.texts("link"),
        "Aliases": values.texts("alias"),
        "DriverOpts": {**pairs.mapping(values.texts("driver-opt")), **rates},
        "GwPriority": values.number("gw-priority"),
    }
    session.call(networks.connect(network, container, endpoint))


COMMAND = Command(
    run,
    "NETWORK CONTAINER",
    flags=(
        Flag("alias", "", STRINGS, "Add network-scoped alias for the container"),
        Flag("driver-opt", "", STRINGS, "driver options for the network"),
        Flag("gw-priority", "", INT, "Highest gw-priority provides the default gateway. Accepts positive and negative values."),
        Flag("ip", "", STRING, 'IPv4 address (e.g., "172.30.100.104")'),
        Flag("ip6", "", STRING, 'IPv6 address (e.g., "2001:db8::33")'),
        Flag("link", "", LIST.checked(options.link), "Add link to another container"),
        Flag("link-local-ip", "", STRINGS, "Add a link-local address for the container"),
        Flag("net-down", "", STRING, "Limit what the container receives here (e.g. 8mbit)"),
        Flag("net-up", "", STRING, "Limit what the container sends here (e.g. 2mbit)"),
    ),
    arity=exactly(2),
    complete="networks containers",
)
