"""One word, once for each user, about ports that are open to every network of the host."""

from __future__ import annotations

import os

from argosy.cli.opts.ports import ALLOW
from argosy.client import networks
from argosy.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.cli.session import Session

_ALL = ("", "0.0.0.0", "::")
_MARK = ".told-of-open-ports"


def open_ports(wanted: Mapping[str, Any]) -> list[str]:
    """Return the ports of a creation's document that are published on all addresses and for everybody."""
    labels = wanted.get("Labels") or {}
    bindings = (wanted.get("HostConfig") or {}).get("PortBindings") or {}
    return [port for port, hosts in bindings.items() if ALLOW + port not in labels and any(one["HostIp"] in _ALL for one in hosts)]


def warn_once(session: Session, wanted: Mapping[str, Any]) -> None:
    """Warn if the daemon's policy is open; a file among the client's own keeps it from being said again."""
    ports = open_ports(wanted)
    mark = os.path.join(session.directory, _MARK)
    if not ports or os.path.exists(mark):
        return
    try:
        if session.call(networks.ports()).get("Policy") != "open":
            return
    except ApiError:
        # Not an argosyd: its firewall is not ours to judge.
        return
    session.warn(
        f"WARNING: {', '.join(ports)} can be reached from every network of the host, past its firewall. For this host alone say "
        "-p 127.0.0.1:…; for some, -p …,allow=10.0.0.0/8. 'argosy port audit' lists what is open. (This is said once.)"
    )
    try:
        os.makedirs(session.directory, mode=0o700, exist_ok=True)
        with open(mark, "w", encoding="utf-8"):
            pass
    except OSError:
        # Nowhere to note it: it will be said again.
        return
