"""Which kernel settings are a container's own: those of its namespaces. Pure (runc ``libcontainer/configs/validate``).

What is not would change the host, so it is refused even to a privileged container, in the words that runc's users know.
"""

from collections.abc import Iterable

from argosy.base.errors import SystemFailureError

_IPC = frozenset(
    {
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    }
)
_PREFIX = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "


def check_sysctls(names: Iterable[str], *, host_network: bool, host_ipc: bool, host_uts: bool) -> None:
    """Raises SystemFailureError for the first that belongs to no namespace of the container's own."""
    for asked in names:
        # Both ways of sysctl(8) to write a name.
        name = asked.replace("/", ".")
        if reason := _wrong(name, host_network, host_ipc, host_uts):
            raise SystemFailureError(f'{_PREFIX}sysctl "{asked}" {reason}')


def _wrong(name: str, host_network: bool, host_ipc: bool, host_uts: bool) -> str:
    if name in _IPC or name.startswith("fs.mqueue."):
        return "is not allowed in the hosts ipc namespace" if host_ipc else ""
    if name.startswith("net."):
        return "not allowed in host network namespace" if host_network else ""
    if name == "kernel.domainname":
        return "is not allowed in the hosts UTS namespace" if host_uts else ""
    if name == "kernel.hostname":
        return "is not allowed as it conflicts with the OCI hostname field"
    return "is not in a separate kernel namespace"
