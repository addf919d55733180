"""Published ports on one line (docker's formatter.DisplayablePorts)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def host_port(address: str, port: object) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


_ALLOW = "argosy.publish.allow."


def guarded(ports: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> str:
    """Return `displayable` with the sources behind ports that are not for everybody: ``0.0.0.0:80->80/tcp (10.0.0.0/8)``."""
    lists = {label.removeprefix(_ALLOW): sources for label, sources in labels.items() if label.startswith(_ALLOW)}
    if not lists:
        return displayable(ports)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for port in ports:
        key = f"{port['PrivatePort']}/{port.get('Type') or 'tcp'}"
        groups.setdefault(lists.get(key, "") if port.get("IP") else "", []).append(port)
    shown = [displayable(group) + (f" ({sources})" if sources else "") for sources, group in sorted(groups.items())]
    return ", ".join(shown)


def displayable(ports: Sequence[Mapping[str, Any]]) -> str:
    """Return ``0.0.0.0:80->80/tcp, 443/tcp``; runs of ports that map to themselves are joined."""
    groups: dict[tuple[str, str], list[int]] = {}
    done: list[str] = []
    moved: list[str] = []
    for port in sorted(ports, key=lambda one: (one["PrivatePort"], one.get("IP") or "", one.get("PublicPort") or 0, one.get("Type") or "")):
        private, address, kind = port["PrivatePort"], port.get("IP") or "", port.get("Type") or "tcp"
        if address and port.get("PublicPort") != private:
            moved.append(f"{host_port(address, port.get('PublicPort') or 0)}->{private}/{kind}")
            continue
        key = (address, kind)
        group = groups.get(key)
        if group is None:
            groups[key] = [private, private]
        elif private == group[1] + 1:
            group[1] = private
        else:
            done.append(_group(key, group))
            groups[key] = [private, private]
    return ", ".join((*done, *(_group(key, group) for key, group in groups.items()), *moved))


def _group(key: tuple[str, str], group: Sequence[int]) -> str:
    address, kind = key
    span = f"{group[0]}-{group[1]}" if group[0] != group[1] else str(group[0])
    return f"{host_port(address, span)}->{span}/{kind}" if address else f"{span}/{kind}"
