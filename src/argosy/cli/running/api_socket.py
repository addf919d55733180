"""``--use-api-socket``: the container speaks to the daemon, with the user's logins (docker's cli/command/container/create.go)."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.cli.session import Session
    from argosy.client.host import Host

SOCKET = "/var/run/docker.sock"
CONFIG = "/run/secrets/docker"
_VARIABLE = "DOCKER_CONFIG="


def add(wanted: dict[str, Any], host: Host) -> None:
    """Mount the daemon's socket where tools look for docker's, and point to the logins that `give_logins` copies.

    No logins are copied where the user says where the configuration is.
    """
    from argosy.client.host import DEFAULT_HOST

    source = host.address if host.kind == "unix" else host.path if host.kind == "ssh" else ""
    mount = {"Type": "bind", "Source": source or DEFAULT_HOST.partition("://")[2], "Target": SOCKET}
    wanted["HostConfig"]["Mounts"] = [*(wanted["HostConfig"].get("Mounts") or ()), mount]
    if not any(str(entry).startswith(_VARIABLE) for entry in wanted["Env"]):
        wanted["Env"] = [*wanted["Env"], _VARIABLE + CONFIG]


def wants_logins(wanted: Mapping[str, Any]) -> bool:
    """Tell whether `add` pointed the container to logins that `give_logins` is to copy."""
    return _VARIABLE + CONFIG in wanted["Env"]


def document(logins: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return logins of the API's form as the config.json that docker's tools read."""
    from base64 import b64encode

    auths = {}
    for registry, login in logins.items():
        if token := login.get("identitytoken"):
            auths[registry] = {"identitytoken": token}
        else:
            auths[registry] = {"auth": b64encode(f"{login.get('username', '')}:{login.get('password', '')}".encode()).decode()}
    return json.dumps({"auths": auths}).encode()


def give_logins(session: Session, container: str) -> None:
    """Copy the user's logins into a container that was made and not started, for root alone to read."""
    import io
    import tarfile

    from argosy.cli.images.credentials import Logins
    from argosy.client import containers

    content = document(Logins(session).all())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(f"{CONFIG[1:]}/config.json")
        info.size, info.mode = len(content), 0o600
        archive.addfile(info, io.BytesIO(content))
    session.call(containers.archive_put(container, "/", buffer.getvalue()))
