"""``argosy network create``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, MAP, STRING, STRINGS
from argosy.cli.opts import pairs
from argosy.cli.opts.ipam import ipam_config
from argosy.cli.session import Session
from argosy.client import networks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(session: Session, values: Values) -> None:
    try:
        ranges = ipam_config(
            values.texts("subnet"), values.texts("ip-range"), values.texts("gateway"), pairs.mapping(values.texts("aux-address"))
        )
    except ValueError as error:
        raise ExitError(1, str(error)) from None
    document: dict[str, Any] = {
        "Name": values.arguments[0],
        "Driver": values.text("driver"),
        "Internal": values.switch("internal"),
        "Attachable": values.switch("attachable"),
        "Ingress": values.switch("ingress"),
        "ConfigOnly": values.switch("config-only"),
        "Scope": values.text("scope"),
        "Options": pairs.mapping(values.texts("opt")),
        "Labels": pairs.mapping(values.texts("label")),
        "IPAM": {"Driver": values.text("ipam-driver"), "Config": ranges, "Options": pairs.mapping(values.texts("ipam-opt"))},
    }
    for family in ("ipv4", "ipv6"):
        if values.given(family):
            document[f"EnableIPv{family[-1]}"] = values.switch(family)
    if source := values.text("config-from"):
        document["ConfigFrom"] = {"Network": source}
    answer = session.call(networks.create(document))
    if answer.get("Warning"):
        session.warn(f"WARNING: {answer['Warning']}")
    session.say(answer["Id"])


COMMAND = Command(
    run,
    "NETWORK",
    flags=(
        Flag("attachable", "", help="Enable manual container attachment"),
        Flag("aux-address", "", MAP, "Auxiliary IPv4 or IPv6 addresses used by Network driver"),
        Flag("config-from", "", STRING, "The network from which to copy the configuration"),
        Flag("config-only", "", help="Create a configuration only network"),
        Flag("driver", "d", STRING, "Driver to manage the Network", default="bridge", shown='"bridge"'),
        Flag("gateway", "", STRINGS, "IPv4 or IPv6 Gateway for the master subnet"),
        Flag("ingress", "", help="Create swarm routing-mesh network"),
        Flag("internal", "", help="Restrict external access to the network"),
        Flag("ip-range", "", STRINGS, "Allocate container ip from a sub-range"),
        Flag("ipam-driver", "", STRING, "IP Address Management Driver", default="default", shown='"default"'),
        Flag("ipam-opt", "", MAP, "Set IPAM driver specific options"),
        Flag("ipv4", "", help="Enable or disable IPv4 address assignment", default=True, shown="true"),
        Flag("ipv6", "", help="Enable or disable IPv6 address assignment"),
        Flag("label", "", LIST.checked(pairs.label), "Set metadata on a network"),
        Flag("opt", "o", MAP, "Set driver specific options"),
        Flag("scope", "", STRING, "Control the network's scope"),
        Flag("subnet", "", STRINGS, "Subnet in CIDR format that represents a network segment"),
    ),
    arity=exactly(1),
    examples=(
        ("argosy network create app", "containers on it find each other by name"),
        ("argosy network create --subnet 10.9.0.0/24 --internal db", "with addresses of your choice and no way out"),
    ),
)
