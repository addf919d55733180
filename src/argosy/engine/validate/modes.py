"""Namespace modes: which words each of them takes, and what excludes what (moby ``api/types/container/hostconfig.go``)."""

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import HostConfig


def check_modes(host: HostConfig, *, userns_remap: bool) -> None:
    """Raises InvalidParameterError in Docker's words."""
    if not _is(host.ipc_mode, "", "none", "private", "shareable", "host", container=True):
        raise InvalidParameterError(f"invalid IPC mode: {host.ipc_mode}")
    if not _is(host.pid_mode, "", "host", container=True) or host.pid_mode == "container:":
        raise InvalidParameterError(f"invalid PID mode: {host.pid_mode}")
    if not _is(host.uts_mode, "", "host"):
        raise InvalidParameterError(f"invalid UTS mode: {host.uts_mode}")
    if not _is(host.cgroupns_mode, "", "host", "private"):
        raise InvalidParameterError(f"invalid cgroup namespace mode: {host.cgroupns_mode}")
    if host.network_mode == "container:":
        raise InvalidParameterError("invalid network mode: invalid container format container:<name|id>")
    if host.isolation not in ("", "default"):
        raise InvalidParameterError(f"invalid isolation ({host.isolation}): linux only supports 'default'")
    if userns_remap and host.userns_mode != "host":
        _check_remapped(host)


def _is(mode: str, *known: str, container: bool = False) -> bool:
    return mode in known or (container and mode.startswith("container:"))


def _check_remapped(host: HostConfig) -> None:
    """A remapped container owns nothing of the host, so it cannot be given the host's own namespaces."""
    if host.privileged:
        raise InvalidParameterError(
            "privileged mode is incompatible with user namespaces.  "
            "You must run the container in the host namespace when running privileged mode"
        )
    if host.network_mode == "host":
        raise InvalidParameterError("cannot share the host's network namespace when user namespaces are enabled")
    if host.pid_mode == "host":
        raise InvalidParameterError("cannot share the host PID namespace when user namespaces are enabled")
