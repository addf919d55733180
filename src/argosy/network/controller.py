"""`engine.ports.Networks`: what a container needs of the network, from before it exists until after it is gone.

Order of a start: `reserve` (addresses, ports really bound) → the runtime makes a namespace → `attach` (links, routes, names,
packet rules) → the program runs → `release`. Nothing here is written to disk: what a container holds is known from the
containers themselves, which the engine hands back to `adopt` after a restart.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Mapping

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, ForbiddenError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.linux.nftables import NftError
from argosy.network import endpoint as endpoints
from argosy.network import files, plumbing, publish, reconcile, sysctl, wiring
from argosy.network.catalogue import Catalogue
from argosy.network.endpoint import Box
from argosy.network.firewall import rules
from argosy.network.firewall.rules import Elements
from argosy.network.firewall.table import FirewallTable
from argosy.network.flows import Flows
from argosy.network.kernel import KernelThread
from argosy.network.limits import Limits
from argosy.network.model import EndpointSettings, NetworkRef, PortAudit, Sandbox, SandboxRequest
from argosy.network.plumbing import AttachPlan, Inside
from argosy.network.ports import Store
from argosy.network.publish import HostPorts, Published
from argosy.network.record import Attachment, Network
from argosy.network.services import Services
from argosy.network.settings import NetworkSettings
from argosy.network.teardown import Teardown

_log = logging.getLogger(__name__)

_RECONCILE = 10.0


class Controller:
    """`start`, then `adopt`, then everything else; `close` leaves the containers' networks as they are."""

    def __init__(
        self,
        *,
        daemon_id: str,
        exec_root: str,
        store: Store,
        events: EventBus,
        clock: Clock,
        supervisor: Supervisor,
        settings: NetworkSettings,
    ) -> None:
        self.settings = settings
        self._events = events
        self._supervisor = supervisor
        self._boxes: dict[str, Box] = {}
        self._kernel = KernelThread()
        self._teardown = Teardown(kernel=self._kernel, supervisor=supervisor)
        self._limits = Limits(self._kernel)
        self._flows = Flows(self._kernel, supervisor)
        self._before = sysctl.Before(f"{exec_root}/network-sysctl.json")
        self._table = FirewallTable(
            daemon=daemon_id, run=self._kernel.run, enabled=settings.iptables, open_foreign=settings.iptables and settings.policy == "open"
        )
        self.catalogue = Catalogue(
            daemon_id=daemon_id,
            store=store,
            events=events,
            clock=clock,
            settings=settings,
            kernel=self._kernel,
            table=self._table,
            before=self._before,
            supervisor=supervisor,
        )
        self._services = Services(
            directory=f"{exec_root}/netd", settings=settings, kernel=self._kernel, supervisor=supervisor, boxes=self._boxes
        )
        default_ip = "127.0.0.1" if settings.policy == "localhost" and settings.publish_ip in ("", "0.0.0.0") else settings.publish_ip
        self._ports = HostPorts(default_ip=default_ip, ipv6=sysctl.host_has_ipv6, proxy=settings.userland_proxy)
        self._warned = False
        self._held: tuple[dict[str, str], dict[str, int]] = ({}, {})

    # ------------------------------------------------------------------ life of the daemon

    async def start(self) -> None:
        """Read the networks and find or start netd. Raises ConflictError when the bridge is another daemon's."""
        self.catalogue.load()
        self._held = await self._services.start()
        await self.catalogue.ensure_predefined()

    async def adopt(self, running: Mapping[str, tuple[int, SandboxRequest, Sandbox]]) -> None:
        """After a restart: take up what these containers hold, and take down all else that carries our id."""
        for id, (pid, request, sandbox) in running.items():
            self._take_up(id, pid, request, sandbox)
        elements = self.catalogue.elements() | self._router_elements()
        for box in self._boxes.values():
            box.elements = wiring.elements(box)
            box.served = wiring.proxied(box, self.settings)
            elements |= box.elements
        # The rules before the links: no bridge is ever up, and no sysctl set, without them.
        try:
            await self._table.install(elements, self.catalogue.bridges())
        except NftError as error:
            raise SystemFailureError(f"cannot install the packet rules: {error}") from error
        await self.catalogue.make_all_real()
        await self._reconcile()
        await self._limits.heal(self._boxes.values())
        await self._services.tell_all(list(self._boxes.values()), *self._held)
        self._supervisor.spawn(self._table.watch(), name="watch packet rules")
        self._supervisor.spawn(self._reconcile_forever(), name="reconcile links")

    async def close(self) -> None:
        """Stop looking after the networks; everything made stays. The caller ends the supervisor first."""
        await self.catalogue.bury_all()
        self._services.close()
        # What a cancelled task left running in the kernel thread ends first: it uses the table's contexts.
        self._kernel.close()
        self._table.close()

    async def destroy(self) -> None:
        """Take everything that carries our id off the host, netd and kernel settings included; the containers must be gone."""
        for network in self.catalogue.all():
            if network.record.owns_link:
                await self._kernel.run(self._remove_link, network.record.link)
        await self._table.remove()
        await self._services.stop()
        self._before.restore()

    def _router_elements(self) -> Elements:
        """If it was us who switched forwarding on, the host's own cards shall not become a router by it."""
        if not self.settings.ip_forward or not (self._before.changed("ipv4/ip_forward") or sysctl.read("ipv4/ip_forward") == "0"):
            return frozenset()
        return rules.uplink_elements(reconcile.hardware_links())

    # ------------------------------------------------------------------ Networks

    def find(self, name_or_id: str) -> NetworkRef:
        """Raises NotFoundError ``network x not found``; ConflictError when ambiguous."""
        return self.catalogue.find(name_or_id).ref

    async def reserve(self, request: SandboxRequest) -> Sandbox:
        """Allocate addresses and really bind the host ports; nothing of the container need exist yet.

        Raises with nothing kept.
        """
        if request.container_id in self._boxes:
            await self.release(request.container_id)
        box = Box(request)
        try:
            # The network that leads outside is eth0, as with Docker (GwPriority).
            for ref, settings in sorted(request.endpoints, key=lambda asked: -asked[1].gw_priority):
                # Started again at once, it shall have its address again: that is free when its former link is gone.
                await self._teardown.of(ref.id, request.container_id)
                await self._allocate(box, self._network(ref), settings)
            self._boxes[request.container_id] = box
            await self._bind(box)
        except BaseException:
            self._boxes.pop(request.container_id, None)
            self._ports.release(box.ports)
            self._give_back(box)
            raise
        return wiring.sandbox(box)

    async def attach(self, container_id: str, netns_pid: int) -> None:
        """Make the reserved endpoints real in the network namespace of that process: links, routes, names, ports.

        Raises SystemFailureError; what was reserved stays so until `release`.
        """
        box = self._box(container_id)
        box.pid = netns_pid
        if box.request.network_mode == "host":
            self._announce_all(box, "connect")
            return
        elements = wiring.elements(box)
        proxied = wiring.proxied(box, self.settings)
        plan = wiring.attach_plan(box, self.settings, self.catalogue.alias, diag=any(not key.startswith("udp ") for key, _, _ in proxied))
        if plan.empty and not elements and not proxied:
            self._announce_all(box, "connect")
            return
        try:
            inside = await self._kernel.run(self._attach, netns_pid, plan, elements)
        except (OSError, NftError) as error:
            raise SystemFailureError(f"failed to set up the network of container {box.request.name}: {error}") from error
        box.elements = elements
        self._flows.forget(box.ports)
        try:
            # Told in one go: netd answers in the order of the questions.
            told = [self._services.join(network, attachment) for network, _, attachment in box.networks.values()]
            if plan.dns:
                told.insert(0, self._services.resolve(box, inside))
            await asyncio.gather(*told, self._services.serve(box, proxied, inside))
        finally:
            self._close_later(inside)
        self._announce_all(box, "connect")

    async def release(self, container_id: str) -> None:
        """Undo reserve and attach; never fails; slow parts go on in the background."""
        box = self._boxes.pop(container_id, None)
        if box is not None:
            # Shielded: a client that hangs up does not leave ports taken.
            await asyncio.shield(self._supervisor.spawn(self._release(box), name=f"release network of {container_id[:12]}"))

    async def connect(self, container_id: str, netns_pid: int, network: NetworkRef, settings: EndpointSettings) -> Sandbox:
        """Put a running container into one more network. Raises in Docker's words; then it is as it was."""
        box = self._box(container_id)
        found = self._network(network)
        self._check_connect(box, found)
        await self._allocate(box, found, settings)
        attachment = box.networks[found.record.id][2]
        try:
            bound_before = list(box.ports)
            await self._bind(box)
            await self._plug(box, netns_pid, found, settings, attachment)
        except BaseException:
            box.networks.pop(found.record.id, None)
            found.attachments.pop(container_id, None)
            fresh = [port for port in box.ports if port not in bound_before]
            box.ports = bound_before
            self._ports.release(fresh)
            await self._services.drop(fresh)
            await self._teardown.now(found, attachment, netns_pid)
            raise
        box.request = dataclasses.replace(box.request, endpoints=(*box.request.endpoints, (network, settings)))
        return wiring.sandbox(box)

    async def disconnect(self, container_id: str, network: NetworkRef) -> Sandbox:
        """Take a running container out of a network."""
        box = self._box(container_id)
        found = self._network(network)
        if found.record.id not in box.networks:
            raise NotFoundError(f"container {container_id} is not connected to network {found.record.name}")
        if found.record.driver == "host":
            raise InvalidParameterError("container cannot be disconnected from host network or connected to host network")
        _, _, attachment = box.networks.pop(found.record.id)
        found.attachments.pop(container_id, None)
        box.request = dataclasses.replace(
            box.request, endpoints=tuple(entry for entry in box.request.endpoints if entry[0].id != found.record.id)
        )
        await self._services.leave(found, container_id)
        await self._retarget(box)
        try:
            await self._kernel.run(plumbing.change_gateways, box.pid, *wiring.gateways(box))
        except FileNotFoundError:
            _log.info("container %s ended while it was disconnected from %s", container_id[:12], found.record.name)
        finally:
            self._teardown.begin(found, attachment, box.pid)
        await self._services.look(box)
        if box.ports and box.target_network() is None:
            gone, box.ports = box.ports, []
            self._ports.release(gone)
            await self._services.drop(gone)
        return wiring.sandbox(box)

    async def limit(self, container_id: str, network: NetworkRef, settings: EndpointSettings) -> None:
        """Give an endpoint of a running container the limits that these settings ask for (`bandwidth`). Raises OSError's kin."""
        await self._limits.change(self._box(container_id), self._network(network), settings)

    def check(self, network: NetworkRef, settings: EndpointSettings) -> None:
        """Raise InvalidParameterError in Docker's words for what can be seen to be wrong before a start."""
        endpoints.validate(self._network(network), settings)

    def rename(self, container_id: str, name: str) -> None:
        """Answer DNS by the new name."""
        box = self._boxes.get(container_id)
        if box is None:
            return
        box.request = dataclasses.replace(box.request, name=name)
        for network, settings, attachment in box.networks.values():
            attachment.name = name
            attachment.dns_names = endpoints.dns_names(box.request, settings)
            if network.has_dns:
                attachment.endpoint = msgspec.structs.replace(attachment.endpoint, dns_names=attachment.dns_names)
                if box.pid:
                    self._supervisor.spawn(self._services.join(network, attachment), name=f"rename {container_id[:12]}")

    def resolv_conf(self, request: SandboxRequest) -> bytes:
        networks = [self.catalogue.by_id(ref.id) for ref, _ in request.endpoints]
        embedded = any(network is not None and network.has_dns for network in networks)
        ipv6 = any(network is not None and network.record.enable_ipv6 for network in networks)
        return files.resolv_conf(request, self.settings, embedded=embedded, ipv6=ipv6)

    def hosts(self, request: SandboxRequest, sandbox: Sandbox) -> bytes:
        default = self.catalogue.default()
        return files.hosts(
            request,
            self._boxes.get(request.container_id),
            files.linked_boxes(request, self._boxes),
            self.settings,
            fallback=default.gateway(4) if default is not None else "",
        )

    # ------------------------------------------------------------------ parts of them

    def _box(self, container_id: str) -> Box:
        box = self._boxes.get(container_id)
        if box is None:
            raise NotFoundError(f"container {container_id} has no network sandbox")
        return box

    def _network(self, ref: NetworkRef) -> Network:
        network = self.catalogue.by_id(ref.id)
        if network is None or network.removing:
            raise NotFoundError(f"network {ref.name} not found")
        return network

    async def _allocate(self, box: Box, network: Network, settings: EndpointSettings) -> None:
        if network.record.config_only:
            raise ForbiddenError(f'config-only network "{network.record.name}" cannot be used by a container')
        await self._teardown.settled(network, settings)
        try:
            attachment = endpoints.allocate(network, box.request, settings)
        except endpoints.NoAddressError:
            if not await self._teardown.drain(network):
                raise
            attachment = endpoints.allocate(network, box.request, settings)
        box.networks[network.record.id] = (network, settings, attachment)

    async def _bind(self, box: Box) -> None:
        """Bind what is to be published and is not yet, once there is a network that publishes."""
        target = box.target_network()
        if target is None or box.ports:
            return
        attachment = box.networks[target.record.id][2]
        try:
            wants = publish.adapted(publish.wanted(box.request), target.bridge, default=target.default, ipv6=bool(box.target(6)))
            bound = self._ports.bind(wants, box.id, {False: box.target(4), True: box.target(6)})
        except SystemFailureError as error:
            raise SystemFailureError(
                f"driver failed programming external connectivity on endpoint {box.request.name} "
                f"({attachment.endpoint.endpoint_id}): {error}"
            ) from error
        box.ports = bound.ports
        if not self._warned and self.settings.policy == "open" and any(port.host_ip == "0.0.0.0" for port in box.ports):
            self._warned = True
            _log.warning(
                "published ports without a host address are open to every network of this host; see --firewall-policy, or say 127.0.0.1"
            )
        await self._services.hold(box.id, bound)

    def _attach(self, netns_pid: int, plan: AttachPlan, elements: Elements) -> Inside:
        inside = plumbing.attach(self._kernel.route(), netns_pid, plan)
        try:
            self._table.apply_here(elements, frozenset())
        except BaseException:
            inside.close()
            raise
        return inside

    def _close_later(self, inside: Inside) -> None:
        self._supervisor.spawn(self._kernel.run_slow(inside.close), name="close sockets")

    async def _plug(self, box: Box, netns_pid: int, network: Network, settings: EndpointSettings, attachment: Attachment) -> None:
        """Make one endpoint of a running container real, and all that follows from it."""
        dns = network.has_dns and not box.resolver
        plan = AttachPlan(
            (wiring.endpoint_plan(network, settings, attachment, self.settings, self.catalogue.alias),), *wiring.gateways(box), dns=dns
        )
        try:
            inside = await self._kernel.run(self._attach, netns_pid, plan, frozenset())
        except (OSError, NftError) as error:
            raise SystemFailureError(f"failed to connect container {box.request.name} to network {network.record.name}: {error}") from error
        try:
            if dns:
                await self._services.resolve(box, inside)
            await self._services.join(network, attachment)
            await self._services.look(box)
        finally:
            self._close_later(inside)
        await self._retarget(box)

    async def _retarget(self, box: Box) -> None:
        """Let published ports lead to where the container's gateway network is now."""
        elements = wiring.elements(box)
        await self._table.apply(add=elements, remove=box.elements - elements)
        box.elements = elements
        self._flows.forget(box.ports)
        await self._services.serve(box, wiring.proxied(box, self.settings))

    async def _release(self, box: Box) -> None:
        try:
            await self._table.apply(remove=box.elements)
        except (NftError, OSError) as error:
            _log.error("container %s: packet rules stay until the next look at them: %s", box.id[:12], error)
        try:
            await self._services.release(box.id)
        except (ArgosyError, OSError) as error:
            # The next netd is told of those containers that are.
            _log.error("container %s: %s", box.id[:12], error)
        self._ports.release(box.ports)
        self._flows.forget(box.ports)
        for network, _, attachment in box.networks.values():
            network.attachments.pop(box.id, None)
            if box.pid:
                self._announce(box, network, "disconnect")
            if not attachment.host_link or not box.pid:
                endpoints.give_back(network, attachment)
            else:
                self._teardown.await_death(network, attachment)

    def _remove_link(self, name: str) -> None:
        plumbing.remove_link(self._kernel.route(), name)

    def _give_back(self, box: Box) -> None:
        for network, _, attachment in box.networks.values():
            network.attachments.pop(box.id, None)
            endpoints.give_back(network, attachment)

    def _check_connect(self, box: Box, network: Network) -> None:
        if network.record.driver == "host":
            raise InvalidParameterError("cannot connect container to host network - container must be created in host network mode")
        if network.record.driver == "null" or any(other.record.driver == "null" for other, _, _ in box.networks.values()):
            raise InvalidParameterError(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            )
        if box.request.network_mode == "host":
            raise InvalidParameterError(
                "container sharing network namespace with another container or host cannot be connected to any other network"
            )

    # ------------------------------------------------------------------ after a restart, and every few seconds

    def _take_up(self, id: str, pid: int, request: SandboxRequest, sandbox: Sandbox) -> None:
        box = Box(request, pid=pid)
        asked = {ref.id: settings for ref, settings in request.endpoints}
        for endpoint in sandbox.endpoints.values():
            network = self.catalogue.by_id(endpoint.network_id)
            if network is None:
                _log.error("container %s is in network %s, which is not known", id[:12], endpoint.network_id[:12])
                continue
            settings = asked.get(endpoint.network_id, EndpointSettings())
            names = endpoints.dns_names(request, settings)
            attachment = endpoints.take_up(network, id, request.name, endpoint, names)
            box.networks[network.record.id] = (network, settings, attachment)
        for text, addresses in sandbox.ports.items():
            number, proto = publish.parse_port(text)
            for host_ip, host_port in addresses:
                if host_port:
                    port = Published(proto, number, host_ip, int(host_port))
                    self._ports.take(port, id)
                    box.ports.append(port)
        self._boxes[id] = box

    async def _reconcile(self) -> None:
        """Take away links that carry our id and belong to nothing, and mend those that lost their bridge."""
        wanted = {
            attachment.host_link: network.record.link
            for network in self.catalogue.all()
            for attachment in network.attachments.values()
            if attachment.host_link and (box := self._boxes.get(attachment.container_id)) is not None and box.pid
        }
        starting = {
            attachment.host_link for network in self.catalogue.all() for attachment in network.attachments.values() if attachment.host_link
        }
        bridges = {network.record.link: network.record.owns_link for network in self.catalogue.all() if network.record.link}
        spare = self._teardown.links() | starting | self.catalogue.doomed
        missing = await self._kernel.run(reconcile.run, self._kernel.route, self.catalogue.alias, wanted, bridges, spare)
        for network in self.catalogue.all():
            if network.record.link in missing and network.record.driver == "bridge":
                _log.warning("the bridge %s of network %s was gone: made again", network.record.link, network.record.name)
                await self.catalogue.make_real(network)

    async def _reconcile_forever(self) -> None:
        while True:
            await asyncio.sleep(_RECONCILE)
            try:
                await self._reconcile()
            except (OSError, ArgosyError) as error:
                _log.error("reconciling network links: %s", error)

    # ------------------------------------------------------------------ what is told

    def _announce_all(self, box: Box, action: str) -> None:
        for network, _, _ in box.networks.values():
            self._announce(box, network, action)

    def _announce(self, box: Box, network: Network, action: str) -> None:
        self._events.publish(
            "network", action, network.record.id, {"container": box.id, "name": network.record.name, "type": network.record.driver}
        )

    def audit(self) -> PortAudit:
        """Return who can reach which published port."""
        return PortAudit(self.settings.policy, tuple(port for box in self._boxes.values() for port in wiring.audit(box)))
