"""Options of a container that exclude each other, in Docker's words (moby ``runconfig/hostconfig_unix.go``). Pure."""

from argosy.base.errors import InvalidParameterError
from argosy.engine import networking
from argosy.engine.model import Config, HostConfig


def check_exclusions(config: Config, host: HostConfig) -> None:
    """Raise ConflictError or InvalidParameterError where options exclude each other, in Docker's words (runconfig ``validate``)."""
    mode = host.network_mode
    container = networking.joined(mode) is not None
    if container and config.hostname:
        raise InvalidParameterError("conflicting options: hostname and the network mode")
    if container and host.links:
        raise InvalidParameterError(
            "conflicting options: container type network can't be used with links. This would result in undefined behavior"
        )
    if container and host.dns:
        raise InvalidParameterError("conflicting options: dns and the network mode")
    if container and host.extra_hosts:
        raise InvalidParameterError("conflicting options: custom host-to-IP mapping and the network mode")
    if container and (host.port_bindings or host.publish_all_ports):
        raise InvalidParameterError("conflicting options: port publishing and the container type network mode")
    if container and config.exposed_ports:
        raise InvalidParameterError("conflicting options: port exposing and the container type network mode")
    if mode == "host" and host.links:
        raise InvalidParameterError(
            "conflicting options: host type networking can't be used with links. This would result in undefined behavior"
        )
    if host.uts_mode == "host" and config.hostname:
        raise InvalidParameterError("conflicting options: hostname and the UTS mode")
