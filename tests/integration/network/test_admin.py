"""Networks as a client manages them: Docker's words, filters and shapes."""

import pytest

from argosy.base.errors import ArgosyError, ConflictError, ForbiddenError, InvalidParameterError, NotFoundError
from argosy.network.model import EndpointSettings, NetworkCreate
from integration.network.world import World

pytestmark = pytest.mark.root


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        (NetworkCreate(name=" "), InvalidParameterError, "invalid name: name is empty"),
        (NetworkCreate(name="bridge"), ForbiddenError, "operation is not permitted on predefined bridge network "),
        (NetworkCreate(name="there"), ConflictError, "network with name there already exists"),
        (NetworkCreate(name="x", driver="foo"), NotFoundError, 'plugin "foo" not found'),
        (NetworkCreate(name="x", driver="host"), ForbiddenError, 'only one instance of "host" network is allowed'),
        (NetworkCreate(name="x", driver="overlay"), ForbiddenError, "This node is not a swarm manager."),
        (NetworkCreate(name="x", scope="swarm"), ForbiddenError, "cannot create a swarm scoped network when swarm is not active"),
        (NetworkCreate(name="x", ipam_driver="foo"), NotFoundError, 'plugin "foo" not found'),
        (NetworkCreate(name="x", enable_ipv4=False), InvalidParameterError, "IPv4 or IPv6 must be enabled"),
        (NetworkCreate(name="x", ipam_config=({"Subnet": "172.18.0.0/24"},)), ForbiddenError, "Pool overlaps with other one"),
        (NetworkCreate(name="x", config_from="nope"), NotFoundError, 'configuration network "nope" does not exist'),
        (
            NetworkCreate(name="x", options={"com.docker.network.bridge.name": "argosy0"}),
            ForbiddenError,
            r"\(argosy0\): networks have same bridge name",
        ),
    ],
)
async def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    world: World, asked: NetworkCreate, kind: type[ArgosyError], words: str
) -> None:
    daemon = await world.daemon()
    await daemon.admin.create(NetworkCreate(name="there"))
    before = world.host.run("ip", "-br", "link"), world.host.run("nft", "-j", "list", "set", "inet", daemon.table(), "bridges")
    with pytest.raises(kind, match=words):
        await daemon.admin.create(asked)
    assert (world.host.run("ip", "-br", "link"), world.host.run("nft", "-j", "list", "set", "inet", daemon.table(), "bridges")) == before
    assert len(await daemon.admin.list_({})) == 4


async def test_predefined_networks_look_as_dockers(world: World) -> None:
    daemon = await world.daemon()
    views = {network.name: network for network in await daemon.admin.list_({})}
    assert {name: view.driver for name, view in views.items()} == {"bridge": "bridge", "host": "host", "none": "null"}
    assert views["bridge"].ipam_config == ({"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"},)
    assert views["bridge"].options["com.docker.network.bridge.name"] == "argosy0"
    with pytest.raises(ForbiddenError, match="bridge is a pre-defined network and cannot be removed"):
        await daemon.admin.remove("bridge")
    with pytest.raises(NotFoundError, match="network nosuch not found"):
        await daemon.admin.remove("nosuch")


async def test_filters(world: World) -> None:
    daemon = await world.daemon()
    id, _ = await daemon.admin.create(NetworkCreate(name="one", labels={"a": "b"}))
    await daemon.admin.create(NetworkCreate(name="two"))
    await world.run(daemon, network="two")

    async def names(**filters: str) -> list[str]:
        return sorted(view.name for view in await daemon.admin.list_({name: [value] for name, value in filters.items()}))

    assert await names(driver="bridge") == ["bridge", "one", "two"]
    assert await names(type="custom") == ["one", "two"]
    assert await names(type="builtin") == ["bridge", "host", "none"]
    assert await names(dangling="true") == ["one"]
    assert await names(label="a=b") == await names(label="a") == ["one"]
    assert await names(name="on") == ["none", "one"]
    assert await names(id=id[:12]) == ["one"]
    assert await names(scope="swarm") == []
    with pytest.raises(InvalidParameterError, match="invalid filter 'foo'"):
        await names(foo="x")
    with pytest.raises(ArgosyError, match="invalid filter: 'type'='foo'"):
        await names(type="foo")
    with pytest.raises(InvalidParameterError, match="invalid value for filter 'dangling'"):
        await names(dangling="x")


async def test_prune_takes_what_nobody_uses(world: World) -> None:
    daemon = await world.daemon()
    for name, labels in (("kept", {"keep": ""}), ("used", {}), ("gone", {})):
        await daemon.admin.create(NetworkCreate(name=name, labels=labels))
    await world.run(daemon, network="used")
    assert await daemon.admin.prune({"until": ["1h"]}) == []
    assert await daemon.admin.prune({"label!": ["keep"]}) == ["gone"]
    with pytest.raises(InvalidParameterError, match='failed to parse value as time or duration: "x"'):
        await daemon.admin.prune({"until": ["x"]})
    actions = [(event.action, event.attributes.get("name")) for event in daemon.events.history() if event.type == "network"]
    assert actions[:3] == [("create", "kept"), ("create", "used"), ("create", "gone")]
    assert ("destroy", "gone") in actions and actions[-1] == ("prune", None)


async def test_config_only_networks_are_patterns(world: World) -> None:
    daemon = await world.daemon()
    await daemon.admin.create(NetworkCreate(name="pattern", config_only=True, ipam_config=({"Subnet": "10.44.0.0/24"},)))
    await daemon.admin.create(NetworkCreate(name="real", config_from="pattern"))
    assert (await daemon.admin.inspect("pattern")).driver == "null"
    assert (await daemon.admin.inspect("real")).ipam_config == ({"Subnet": "10.44.0.0/24"},)
    with pytest.raises(ForbiddenError, match='configuration network "pattern" is in use'):
        await daemon.admin.remove("pattern")
    with pytest.raises(ForbiddenError, match="config-only network"):
        await world.run(daemon, network="pattern")
    await daemon.admin.remove("real")
    await daemon.admin.remove("pattern")


async def test_names_ids_and_prefixes_find_and_ambiguous_ones_say_so(world: World) -> None:
    daemon = await world.daemon()
    ids = {}
    while len({id[0] for id in ids.values()}) == len(ids):
        name = f"n{len(ids)}"
        ids[name], _ = await daemon.admin.create(NetworkCreate(name=name, ipam_config=({"Subnet": f"10.44.{len(ids)}.0/24"},)))
    first = next(iter(ids.values()))
    assert (await daemon.admin.inspect(first[:12])).id == first
    initial = next(id[0] for id in ids.values() if [other[0] for other in ids.values()].count(id[0]) > 1)
    with pytest.raises(ConflictError, match=f"network {initial} is ambiguous"):
        await daemon.admin.inspect(initial)


async def test_bip_and_fixed_cidr_shape_the_default_network(world: World) -> None:
    daemon = await world.daemon(bip="10.88.0.1/16", fixed_cidr="10.88.7.0/24", default_gateway="10.88.0.254")
    one = await world.run(daemon)
    assert one.ip == "10.88.7.0" or one.ip.startswith("10.88.7.")
    assert one.endpoint().ip_prefix_len == 16
    assert "default via 10.88.0.254" in one.run("ip", "route")
    assert "10.88.0.1/16" in world.host.run("ip", "-br", "addr", "show", "argosy0")


async def test_a_bridge_of_somebody_else_is_used_and_never_removed(world: World) -> None:
    for command in ("ip link add mine type bridge", "ip addr add 10.66.0.1/24 dev mine", "ip link set mine up"):
        world.host.run(*command.split())
    daemon = await world.daemon(bridge="mine")
    one, two = await world.run(daemon), await world.run(daemon)
    assert one.ip == "10.66.0.2" and one.pings(two.ip) and one.pings("203.0.113.2")
    await daemon.crash()
    await daemon.start(world.running())
    await daemon.controller.destroy()
    assert "10.66.0.1/24" in world.host.run("ip", "-br", "addr", "show", "mine")


async def test_files_of_a_container(world: World) -> None:
    daemon = await world.daemon()
    await daemon.admin.create(NetworkCreate(name="net"))
    db = await world.run(daemon, "db")
    one = await world.run(
        daemon,
        "app",
        links={"store": db.id},
        extra_hosts=("a:host-gateway", "b:1.2.3.4", "c:[fd00::1]"),
        domainname="bar.com",
        hostname="foo",
    )
    assert one.request and one.sandbox
    lines = daemon.controller.hosts(one.request, one.sandbox).decode().splitlines()
    assert lines[6:] == [
        "172.17.0.1\ta",
        "1.2.3.4\tb",
        "fd00::1\tc",
        f"172.17.0.2\tstore {db.id[:12]} db",
        "172.17.0.1\thost.docker.internal",
        "172.17.0.3\tfoo.bar.com foo",
    ]
    assert b"nameserver 203.0.113.2\n" in daemon.controller.resolv_conf(one.request)
    two = await world.run(daemon, network="net", settings=EndpointSettings(), dns_search=("x.y",), dns_options=("ndots:3",))
    assert two.request
    assert b"nameserver 127.0.0.11\nsearch x.y\noptions ndots:3\n" in daemon.controller.resolv_conf(two.request)
