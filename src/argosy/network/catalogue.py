"""The networks there are: made, found, removed, and made real on this host."""

import asyncio
import dataclasses
import ipaddress
import logging
from collections.abc import Iterable

from argosy.base import failpoints, ids
from argosy.base.clock import Clock
from argosy.base.errors import (
    ArgosyError,
    ConflictError,
    ForbiddenError,
    InvalidParameterError,
    NotFoundError,
    SystemFailureError,
)
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.linux.netlink import NetlinkError
from argosy.linux.netlink import address as addresses
from argosy.linux.netlink import link as links
from argosy.linux.nftables import NftError
from argosy.network import design, sysctl
from argosy.network.drivers import bridge, macvlan
from argosy.network.drivers import options as opts
from argosy.network.firewall import rules
from argosy.network.firewall.rules import BridgeRules, Elements
from argosy.network.firewall.table import FirewallTable
from argosy.network.ipam import Subnet, Subnets
from argosy.network.kernel import KernelThread
from argosy.network.model import NetworkCreate
from argosy.network.ports import Store
from argosy.network.record import KIND, Network, NetworkRecord, decode, encode
from argosy.network.settings import NetworkSettings

_log = logging.getLogger(__name__)

PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}
"""Name → driver."""
DRIVERS = ("bridge", "host", "null", "macvlan", "ipvlan")
_GRACE = 1.0
_UNCHECKED = ("default", "bridge", "host", "none")


class Catalogue:
    def __init__(
        self,
        *,
        daemon_id: str,
        store: Store,
        events: EventBus,
        clock: Clock,
        settings: NetworkSettings,
        kernel: KernelThread,
        table: FirewallTable,
        before: sysctl.Before,
        supervisor: Supervisor,
    ) -> None:
        self.alias = f"argosy:{daemon_id}"
        self._store = store
        self._events = events
        self._clock = clock
        self._settings = settings
        self._kernel = kernel
        self._table = table
        self._before = before
        self._supervisor = supervisor
        self._subnets = Subnets(settings.default_address_pools, daemon_id)
        self._networks: dict[str, Network] = {}
        self._creating = asyncio.Lock()
        self.doomed: set[str] = set()
        """Links of removed networks that are still to be deleted."""

    # ------------------------------------------------------------------ finding

    def all(self) -> list[Network]:
        return list(self._networks.values())

    def by_id(self, id: str) -> Network | None:
        return self._networks.get(id)

    def default(self) -> Network | None:
        """Return the predefined ``bridge``, None where the daemon runs without it."""
        return next((network for network in self._networks.values() if network.default), None)

    def find(self, ref: str) -> Network:
        """Return by id, name or unambiguous id prefix, in this order.

        Raises NotFoundError ``network x not found``, ConflictError when ambiguous.
        """
        found = self._networks.get(ref)
        if found is not None:
            return found
        ref = "bridge" if ref == "default" else ref
        named = [network for network in self._networks.values() if network.record.name == ref]
        if named:
            return named[0]
        matches = [network for id, network in self._networks.items() if id.startswith(ref)] if ids.is_id_prefix(ref) else []
        if len(matches) > 1:
            raise ConflictError(f"network {ref} is ambiguous ({len(matches)} matches found on ID prefix)")
        if not matches:
            raise NotFoundError(f"network {ref} not found")
        return matches[0]

    # ------------------------------------------------------------------ boot

    def load(self) -> None:
        """Take up what state.db knows. Blocks; for the boot."""
        for id, value in self._store.load(KIND).items():
            record = decode(value)
            network = Network.of(record)
            for pool in network.pools:
                try:
                    self._subnets.request(pool.subnet)
                except ArgosyError as error:
                    _log.error("network %s (%s): %s", record.name, id, error)
            self._networks[id] = network

    async def ensure_predefined(self) -> None:
        """Make ``bridge``, ``host`` and ``none`` where they are missing, and ``bridge`` what the configuration says."""
        for name, driver in PREDEFINED.items():
            if name != "bridge" and not any(network.record.name == name for network in self._networks.values()):
                request = NetworkCreate(name=name, driver=driver)
                await self._keep(design.new_record(request, ids.new_id(), self._clock.now_ns(), predefined=True))
        present = self.default()
        if self._settings.bridge == "none":
            if present is not None:
                await self._forget(present)
            return
        await self._ensure_default(present)

    async def _ensure_default(self, present: Network | None) -> None:
        foreign = await self._kernel.run(self._foreign_addresses, self._settings.bridge)
        request = design.default_request(self._settings, foreign or ())
        if present is not None:
            old = present.record
            same = dict(old.options) == dict(request.options) and old.enable_ipv6 == request.enable_ipv6
            fits = request.ipam_config in (old.ipam_config, ()) or [dict(entry) for entry in request.ipam_config] == [
                dict(entry) for entry in old.ipam_config
            ]
            chosen = not request.ipam_config
            if same and fits and old.owns_link == (foreign is None) and not (chosen and await self._taken_meanwhile(present)):
                return
            for pool in present.pools:
                self._subnets.release(pool.subnet)
            if old.owns_link and old.link != self._settings.bridge:
                await self._kernel.run(lambda: bridge.remove(self._kernel.route(), old.link, self.alias))
        pools, shown = design.choose_pools(request, self._subnets, await self._host_subnets(), gateways=lambda _: True)
        id, created = (present.record.id, present.record.created) if present else (ids.new_id(), self._clock.now_ns())
        record = design.new_record(
            request,
            id,
            created,
            predefined=True,
            pools=pools,
            ipam_config=shown,
            link=self._settings.bridge,
            owns_link=foreign is None,
        )
        await self._keep(record)

    async def _taken_meanwhile(self, network: Network) -> bool:
        """Whether the host got a route into a subnet that we had chosen before it booted: another engine was there first."""
        if await self._kernel.run(self._has_link, network.record.link):
            return False
        host = [subnet for subnet in await self._host_subnets() if subnet.prefixlen]
        return any(pool.subnet.overlaps(subnet) for pool in network.pools for subnet in host if subnet.version == pool.subnet.version)

    def _has_link(self, name: str) -> bool:
        return links.find_link(self._kernel.route(), name) is not None

    def _foreign_addresses(self, name: str) -> tuple[str, ...] | None:
        """Return the addresses of a bridge that is not ours, None when there is none of that name or it is ours."""
        host = self._kernel.route()
        found = links.find_link(host, name)
        if found is None or found.alias == self.alias:
            return None
        if found.kind != "bridge":
            raise SystemFailureError(f"existing interface {name} is not a bridge")
        if found.alias.startswith("argosy:"):
            raise ConflictError(f"the bridge {name} belongs to another argosyd on this host: give this one its own with --bridge")
        return tuple(
            f"{address}/{prefix}"
            for link, address, prefix in addresses.list_addresses(host)
            if link == found.index and not address.is_link_local
        )

    async def make_all_real(self) -> None:
        """Make every network's link right; one that cannot be made is reported and left to the next attempt."""
        for network in self.all():
            try:
                await self.make_real(network)
            except (ArgosyError, OSError) as error:
                _log.error("network %s cannot be made: %s", network.record.name, error)

    async def make_real(self, network: Network) -> None:
        """Make the link of a bridge network right. The packet rules must be there already (`elements`)."""
        record = network.record
        if record.driver != "bridge" or record.config_only:
            return
        plan = self._bridge_plan(network)
        self.doomed.discard(plan.name)
        await self._kernel.run(self._ensure_bridge, plan)
        if self._settings.ip_forward:
            await self._kernel.run(self._forwarding, plan.ipv6)

    def _ensure_bridge(self, plan: bridge.BridgePlan) -> None:
        bridge.ensure(self._kernel.route(), plan)
        if self._table.enabled:
            bridge.allow_loopback(plan.name)

    def _forwarding(self, ipv6: bool) -> None:
        if not self._before.change("ipv4/ip_forward", "1"):
            _log.warning("cannot switch on net.ipv4.ip_forward: containers reach no further than this host")
        if ipv6:
            sysctl.enable_ipv6_forwarding(self._before)

    def _bridge_plan(self, network: Network) -> bridge.BridgePlan:
        options = network.bridge
        gateways = tuple(
            f"{pool.gateway}/{pool.subnet.prefixlen}"
            for pool in network.pools
            if pool.gateway is not None
            and not (pool.subnet.version == 4 and options.inhibit_ipv4)
            and options.gateway_mode(pool.subnet.version) != "isolated"
        )
        return bridge.BridgePlan(
            name=network.record.link,
            alias=self.alias,
            mtu=options.mtu or self._settings.mtu,
            addresses=gateways,
            # An isolated bridge has not even a link-local address.
            ipv6=network.record.enable_ipv6 and options.gateway_mode_6 != "isolated",
            owned=network.record.owns_link,
        )

    # ------------------------------------------------------------------ packet rules

    def elements(self) -> Elements:
        """Return what all bridge networks need in our table."""
        found: set[rules.Element] = set()
        for network in self._networks.values():
            found |= self.network_elements(network)
        return frozenset(found)

    def network_elements(self, network: Network) -> Elements:
        record = network.record
        if record.driver != "bridge" or record.config_only:
            return frozenset()
        options = network.bridge
        modes = (options.gateway_mode_4, options.gateway_mode_6)
        translated = [
            pool.subnet
            for pool in network.pools
            if options.gateway_mode(pool.subnet.version) in ("nat", "nat-unprotected") and not record.internal
        ]
        snat = {4: options.snat_4, 6: options.snat_6}
        return rules.bridge_elements(
            BridgeRules(
                name=record.link,
                subnets=tuple(str(pool.subnet) for pool in network.pools),
                internal=record.internal,
                masquerade=tuple(str(subnet) for subnet in translated if options.masquerade),
                snat=tuple((str(subnet), snat[subnet.version]) for subnet in translated if options.masquerade and snat[subnet.version]),
                unprotected="nat-unprotected" in modes,
            )
        )

    def bridges(self) -> list[str]:
        """Return the links of all bridge networks."""
        return [network.record.link for network in self._networks.values() if network.record.driver == "bridge" and network.record.link]

    # ------------------------------------------------------------------ making and removing

    async def create(self, request: NetworkCreate) -> Network:
        """Make a network. Raises in Docker's words; then nothing of it is left."""
        async with self._creating:
            request = self._checked(request)
            if request.config_only:
                validated = dataclasses.replace(request, driver="null")
                record = design.new_record(validated, ids.new_id(), self._clock.now_ns(), ipam_config=tuple(request.ipam_config))
                network = await self._keep(record)
            elif request.driver == "bridge":
                network = await self._create_bridge(request)
            else:
                network = await self._create_macvlan(request)
        self._announce(network, "create")
        return network

    def _checked(self, request: NetworkCreate) -> NetworkCreate:
        if not request.name.strip():
            raise InvalidParameterError("invalid name: name is empty")
        if request.name in _UNCHECKED:
            raise ForbiddenError(f"operation is not permitted on predefined {request.name} network ")
        if request.scope == "swarm":
            raise ForbiddenError("cannot create a swarm scoped network when swarm is not active")
        if any(network.record.name == request.name for network in self._networks.values()):
            raise ConflictError(f"network with name {request.name} already exists")
        request = dataclasses.replace(request, driver=request.driver or "bridge", ipam_driver=request.ipam_driver or "default")
        if request.config_from and request.config_only:
            raise ForbiddenError("a configuration network cannot depend on another configuration network")
        if request.config_from:
            request = self._from_config(request)
        if request.ipam_driver not in ("default", "null"):
            raise NotFoundError(f'plugin "{request.ipam_driver}" not found')
        if request.ipam_driver == "null" and request.driver == "bridge":
            raise InvalidParameterError("ipv4 pool is empty")
        if request.driver in ("host", "null"):
            raise ForbiddenError(f'only one instance of "{request.driver}" network is allowed')
        if request.ingress and request.driver != "overlay":
            raise ForbiddenError("Ingress network can only be global scope network")
        if request.driver == "overlay":
            raise ForbiddenError(
                'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
                "to connect this node to swarm and try again."
            )
        if request.driver not in DRIVERS:
            raise NotFoundError(f'plugin "{request.driver}" not found')
        if not request.enable_ipv4 and not request.enable_ipv6:
            raise InvalidParameterError("IPv4 or IPv6 must be enabled")
        options = opts.bridge_options(request.options)
        if not request.internal and "isolated" in (options.gateway_mode_4, options.gateway_mode_6):
            raise SystemFailureError("gateway mode 'isolated' can only be used for an internal network")
        return request

    def _from_config(self, request: NetworkCreate) -> NetworkCreate:
        source = next(
            (one for one in self._networks.values() if one.record.name == request.config_from or one.record.id == request.config_from), None
        )
        if source is None or not source.record.config_only:
            raise NotFoundError(f'configuration network "{request.config_from}" does not exist')
        if request.ipam_config or request.options or request.labels or request.enable_ipv6:
            raise ForbiddenError("user specified configurations are not supported if the network depends on a configuration network")
        record = source.record
        return dataclasses.replace(
            request,
            enable_ipv4=record.enable_ipv4,
            enable_ipv6=record.enable_ipv6,
            ipam_config=tuple(record.ipam_config),
            ipam_options=record.ipam_options,
            options=record.options,
            labels=record.labels,
            internal=request.internal or record.internal,
        )

    async def _create_bridge(self, request: NetworkCreate) -> Network:
        id = ids.new_id()
        options = opts.bridge_options(request.options)
        link = options.name or f"br-{id[:12]}"
        for other in self._networks.values():
            if other.record.link == link:
                raise ForbiddenError(
                    f"cannot create network {id} ({link}): conflicts with network {other.record.id} ({link}): "
                    "networks have same bridge name"
                )
        foreign = await self._kernel.run(self._foreign_addresses, link) if options.name else None
        pools, shown = design.choose_pools(
            request, self._subnets, await self._host_subnets(), gateways=lambda version: options.gateway_mode(version) != "isolated"
        )
        record = design.new_record(request, id, self._clock.now_ns(), pools=pools, ipam_config=shown, link=link, owns_link=foreign is None)
        network = Network.of(record)
        elements = self.network_elements(network)
        try:
            # The rules first: a bridge is never up without its protection.
            await self._table.apply(add=elements)
            await self.make_real(network)
            failpoints.hit("network.create.link")
            await self._store.put(KIND, id, encode(record))
            self._networks[id] = network
            await self._table.set_bridges(self.bridges())
        except BaseException as error:
            self._networks.pop(id, None)
            await asyncio.shield(self._undo_create(network, elements))
            if isinstance(error, NetlinkError | NftError):
                raise SystemFailureError(f"failed to create network {request.name}: {error}") from error
            raise
        return network

    async def _undo_create(self, network: Network, elements: Elements) -> None:
        for pool in network.pools:
            self._subnets.release(pool.subnet)
        if network.record.owns_link:
            await self._kernel.run(lambda: bridge.remove(self._kernel.route(), network.record.link, self.alias))
        await self._store.delete(KIND, network.record.id)
        await self._table.apply(remove=elements)

    async def _create_macvlan(self, request: NetworkCreate) -> Network:
        id = ids.new_id()
        options = dict(request.options)
        mode, parent = macvlan.mode(request.driver, options), options.get(macvlan.PARENT, "")
        macvlan.flag(options)
        beside = [one.record for one in self._networks.values() if parent and one.record.driver == "macvlan" and one.record.link == parent]
        for other in beside if request.driver == "macvlan" else ():
            if "passthru" in (mode, theirs := macvlan.mode("macvlan", dict(other.options))):
                raise SystemFailureError(f"macvlan network {other.id} is already using parent interface {parent} in mode {theirs}")
        link, made = await self._kernel.run(lambda: macvlan.ensure_parent(self._kernel.route(), request.driver, parent, id, self.alias))
        pools, shown = design.choose_pools(request, self._subnets, (), gateways=lambda _: not request.internal)
        record = design.new_record(request, id, self._clock.now_ns(), pools=pools, ipam_config=shown, link=link, owns_link=made)
        return await self._keep(record)

    async def remove(self, network: Network) -> None:
        """Forget a network and take its link away; the slow part in the background. Raises ForbiddenError when it is in use."""
        record = network.record
        if network.removing:
            raise NotFoundError(f"network {record.name} not found")
        if record.predefined:
            raise ForbiddenError(f"{record.name} is a pre-defined network and cannot be removed")
        if record.config_only and any(other.record.config_from == record.name for other in self._networks.values()):
            raise ForbiddenError(f'error while removing network: configuration network "{record.name}" is in use')
        if network.attachments:
            active = ", ".join(f'name:"{one.name}" id:"{ids.short(one.endpoint.endpoint_id)}"' for one in network.attachments.values())
            raise ForbiddenError(f"error while removing network: network {record.name} has active endpoints ({active})")
        network.removing = True
        await self._forget(network)
        self._announce(network, "destroy")

    async def _forget(self, network: Network) -> None:
        record = network.record
        await self._store.delete(KIND, record.id)
        failpoints.hit("network.remove.link")
        self._networks.pop(record.id, None)
        await asyncio.shield(self._take_down(network))

    async def _take_down(self, network: Network) -> None:
        record = network.record
        if record.owns_link:
            if record.driver == "bridge":
                await self._kernel.run(lambda: bridge.strip(self._kernel.route(), record.link, self.alias))
            self.doomed.add(record.link)
            self._supervisor.spawn(self._bury(record.link), name=f"remove {record.link}")
        await self._table.apply(remove=self.network_elements(network))
        await self._table.set_bridges(self.bridges())
        for pool in network.pools:
            self._subnets.release(pool.subnet)

    async def _bury(self, link: str) -> None:
        """Delete a link in a while: deleting holds up every other change of links on the machine, the next network's too."""
        await asyncio.sleep(_GRACE)
        if link in self.doomed:
            await self._kernel.run_slow(self._delete_link, link)
            self.doomed.discard(link)

    def _delete_link(self, link: str) -> None:
        bridge.remove(self._kernel.route(), link, self.alias)

    async def bury_all(self) -> None:
        """Delete what still waits for it, at the daemon's end."""
        while self.doomed:
            await self._kernel.run_slow(self._delete_link, self.doomed.pop())

    async def _keep(self, record: NetworkRecord) -> Network:
        await self._store.put(KIND, record.id, encode(record))
        network = self._networks[record.id] = Network.of(record)
        return network

    async def _host_subnets(self) -> list[Subnet]:
        return await self._kernel.run(self._read_host_subnets)

    def _read_host_subnets(self) -> list[Subnet]:
        """Return the subnets that the host has addresses in or routes to, our own bridges' aside."""
        host = self._kernel.route()
        own = {link.index for link in links.list_links(host) if link.alias == self.alias}
        found: list[Subnet] = [route.destination for route in addresses.list_routes(host) if route.link not in own]
        found += [
            ipaddress.ip_interface(f"{address}/{prefix}").network
            for link, address, prefix in addresses.list_addresses(host)
            if link not in own
        ]
        return found

    def _announce(self, network: Network, action: str) -> None:
        self._events.publish("network", action, network.record.id, {"name": network.record.name, "type": network.record.driver})

    def names(self) -> Iterable[str]:
        return (network.record.name for network in self._networks.values())
