"""Which namespaces are made, joined, or the host's."""

from collections.abc import Mapping

from argosy.engine.model import HostConfig

_OCI = {"network": "net"}


def namespaces(host: HostConfig, join: Mapping[str, int], *, user_namespace: bool, private_cgroup: bool) -> list[dict[str, str]]:
    """Return the OCI list; a host namespace is left out.

    ``join`` maps ``network``, ``ipc``, ``pid`` to the pid whose namespace is entered.
    """
    wanted = ["mount"]
    if host.uts_mode != "host":
        wanted.append("uts")
    if host.ipc_mode != "host":
        wanted.append("ipc")
    if host.pid_mode != "host":
        wanted.append("pid")
    if host.network_mode != "host":
        wanted.append("network")
    if private_cgroup:
        wanted.append("cgroup")
    if user_namespace:
        wanted.append("user")
    return [_entry(kind, join.get(kind)) for kind in wanted]


def _entry(kind: str, pid: int | None) -> dict[str, str]:
    if pid is None:
        return {"type": kind}
    return {"type": kind, "path": f"/proc/{pid}/ns/{_OCI.get(kind, kind)}"}
