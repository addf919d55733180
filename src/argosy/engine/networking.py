"""What a container's start asks of its networks, worked out from its revision."""

import ipaddress
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from argosy.base import ids
from argosy.base.errors import ArgosyError, ConflictError, InvalidParameterError, NotFoundError
from argosy.engine.container import Container
from argosy.engine.links import environment, split
from argosy.engine.model import Config, ContainerSpec, EndpointSettings, HostConfig
from argosy.engine.ports import Networks
from argosy.engine.registry import Registry
from argosy.network import bandwidth
from argosy.network.endpoint import allow_lists
from argosy.network.model import PortBinding, SandboxRequest

T = TypeVar("T")


def joined(mode: str) -> str | None:
    """Return the reference in ``container:REF``, else None."""
    kind, colon, ref = mode.partition(":")
    return ref if kind == "container" and colon else None


def normalise(mode: str) -> str:
    """Return the network mode with Docker's other names for the default bridge folded into ``bridge``."""
    return "bridge" if mode in ("", "default") else mode


def join_target(registry: Registry, own: str, mode: str, kind: str) -> Container | None:
    """Return the running container whose namespace ``mode`` enters. Raises ConflictError or NotFoundError in Docker's words."""
    ref = joined(mode)
    if ref is None:
        return None
    target = registry.find(ref)
    if target.id == own:
        raise ConflictError(f"cannot join own {kind} namespace")
    if not target.running:
        raise ConflictError(f"cannot join {kind} namespace of a non running container: {target.id}")
    if target.state.status == "restarting":
        raise ConflictError(f"Container {target.id} is restarting, wait until the container is running")
    return target


@contextmanager
def explaining() -> Iterator[None]:
    """Say that it was the network which failed; the kind of the error stays (moby ``daemon/start.go``)."""
    try:
        yield
    except ArgosyError as error:
        raise type(error)(f"failed to set up container networking: {error}") from error


async def explained(work: Awaitable[T]) -> T:
    """The same for a coroutine."""
    with explaining():
        return await work


def sandbox_request(spec: ContainerSpec, networks: Networks, links: dict[str, str]) -> SandboxRequest:
    """Return what `Networks.reserve` needs. Raises NotFoundError for a network that is gone, InvalidParameterError."""
    host, config = spec.host, spec.config
    mode = normalise(host.network_mode)
    endpoints = []
    if joined(mode) is None and not config.network_disabled:
        for name, settings in spec.networks.items():
            endpoints.append((networks.find(name), settings))
    exposed = dict.fromkeys([*(config.exposed_ports or {}), *(host.port_bindings or {})])
    return SandboxRequest(
        container_id=spec.id,
        name=spec.name,
        hostname=config.hostname or ids.short(spec.id),
        domainname=config.domainname,
        endpoints=tuple(endpoints),
        network_mode=mode,
        port_bindings={port: tuple(bindings or (PortBinding(),)) for port, bindings in (host.port_bindings or {}).items()},
        publish_all=host.publish_all_ports,
        dns=host.dns or (),
        dns_search=host.dns_search or (),
        dns_options=host.dns_options or (),
        extra_hosts=host.extra_hosts or (),
        exposed_ports=tuple(exposed),
        links=links,
        allow=allow_lists(config.labels),
    )


def initial_networks(mode: str, asked: dict[str, EndpointSettings]) -> dict[str, EndpointSettings]:
    """Return the endpoints of a new container: what was asked, with the network mode's own first."""
    mode = normalise(mode)
    if joined(mode) is not None:
        return {}
    named = {normalise(name): settings for name, settings in asked.items()}
    return {mode: named.pop(mode, EndpointSettings()), **named}


ALONE = {
    "none": "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    "host": "container sharing network namespace with another container or host cannot be connected to any other network",
}
"""Modes that suffer no other network beside them, with Docker's words."""


def new_endpoints(config: Config, host: HostConfig, asked: Mapping[str, EndpointSettings]) -> dict[str, EndpointSettings]:
    """Return the endpoints of a new container: those asked for, with what its labels ask of them (`network.bandwidth`).

    Raises InvalidParameterError when bandwidth is asked of a container that has another's network.
    """
    mode = host.network_mode
    if joined(mode) is not None:
        wanted = (bandwidth.labelled(settings, name, config.labels) for name, settings in {mode: EndpointSettings(), **asked}.items())
        if any(bandwidth.asked(settings.driver_opts).limited for settings in wanted):
            raise InvalidParameterError(f"bandwidth cannot be limited in network mode {mode}: limit the container whose network it is")
    initial = initial_networks(host.network_mode, dict(asked))
    return {name: bandwidth.labelled(settings, name, config.labels) for name, settings in initial.items()}


def check(config: Config, host: HostConfig, asked: Mapping[str, EndpointSettings], networks: Networks, registry: Registry) -> None:
    """Refuse at the creation what no start could carry out. Raises in Docker's words."""
    check_endpoints(networks, asked)
    allow_lists(config.labels)
    for server in host.dns or ():
        try:
            ipaddress.ip_address(server.partition("%")[0])
        except ValueError as error:
            raise InvalidParameterError(f'bad nameserver address {server}: ParseAddr("{server}"): unable to parse IP') from error
    if normalise(host.network_mode) == "bridge":
        parse_links(host.links or (), registry)


def check_endpoints(networks: Networks, asked: Mapping[str, EndpointSettings]) -> None:
    """Refuse settings that no start could carry out. Raises InvalidParameterError ``invalid config for network x: …``.

    A network that is not there yet may be made before the start, as with Docker.
    """
    for name, settings in asked.items():
        try:
            networks.check(networks.find(name), settings)
        except NotFoundError:
            continue
        except InvalidParameterError as error:
            raise InvalidParameterError(f"invalid config for network {name}: {error}") from error


def check_alone(spec: ContainerSpec) -> None:
    """Refuse other networks beside ``host`` or ``none``. Raises InvalidParameterError in Docker's words."""
    mode = normalise(spec.host.network_mode)
    if mode in ALONE and len(spec.networks) > 1:
        raise InvalidParameterError(ALONE[mode])


def parse_links(links: tuple[str, ...], registry: Registry) -> dict[str, str]:
    """Return alias → container id of ``--link name:alias``. Raises InvalidParameterError ``could not get container for x: …``."""
    found = {}
    for name, alias in map(split, links):
        try:
            found[alias] = registry.find(name).id
        except NotFoundError as error:
            raise InvalidParameterError(f"could not get container for {name}: {error}") from error
    return found


def link_environment(spec: ContainerSpec, registry: Registry) -> list[str]:
    """Return the variables about linked neighbours that run; only on the default bridge, elsewhere DNS tells their names."""
    found: list[str] = []
    if normalise(spec.host.network_mode) == "bridge":
        for name, alias in map(split, spec.host.links or ()):
            try:
                neighbour = registry.find(name)
            except ArgosyError:
                continue
            if made := neighbour.sandbox.endpoints.get("bridge"):
                found += environment(alias, name=spec.name, address=made.ip_address, neighbour=neighbour.spec.config)
    return found
