"""Containers on bridges: each other, the outside, and what they must not reach."""

import os

import pytest

from argosy.base.errors import ForbiddenError
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import link as links
from argosy.network.model import EndpointIpamConfig, EndpointSettings, NetworkCreate
from integration.network.world import HOST4, INTERNET4, World

pytestmark = pytest.mark.root


async def test_two_containers_reach_each_other_and_the_internet_under_the_hosts_address(world: World) -> None:
    daemon = await world.daemon()
    one, two = await world.run(daemon), await world.run(daemon)
    assert (one.ip, two.ip) == ("172.17.0.2", "172.17.0.3")
    assert one.pings(two.ip)
    with world.internet.listen(8000) as server:
        assert one.reach(INTERNET4, 8000, server) == HOST4


async def test_a_container_has_its_address_route_and_mac_and_no_ipv6(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, settings=EndpointSettings(mac_address="02:42:ac:11:00:99"))
    shown = one.run("ip", "addr", "show", "dev", "eth0")
    assert "inet 172.17.0.2/16 brd 172.17.255.255" in shown
    assert "02:42:ac:11:00:99" in shown
    assert "inet6" not in shown
    assert "default via 172.17.0.1" in one.run("ip", "route")


async def test_networks_are_isolated_from_each_other(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="a"))
    await daemon.controller.catalogue.create(NetworkCreate(name="b"))
    one, two = await world.run(daemon, network="a"), await world.run(daemon, network="b")
    assert not one.pings(two.ip)
    assert not two.pings(one.ip)


async def test_an_internal_network_reaches_neighbours_and_nothing_else(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="inside", internal=True))
    one, two = await world.run(daemon, network="inside"), await world.run(daemon, network="inside")
    assert one.pings(two.ip)
    assert "default" not in one.run("ip", "route")
    one.run("ip", "route", "add", "default", "via", "172.18.0.1")
    assert not one.pings(INTERNET4)


async def test_without_inter_container_communication_neighbours_are_unreachable_but_the_internet_is_not(world: World) -> None:
    daemon = await world.daemon()
    options = {"com.docker.network.bridge.enable_icc": "false"}
    await daemon.controller.catalogue.create(NetworkCreate(name="quiet", options=options))
    one, two = await world.run(daemon, network="quiet"), await world.run(daemon, network="quiet")
    assert not one.pings(two.ip)
    assert one.pings(INTERNET4)


async def test_services_on_the_hosts_loopback_stay_unreachable(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon)
    with world.host.listen(7000, "127.0.0.1"):
        one.run("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
        one.run("ip", "route", "del", "local", "127.0.0.0/8", "table", "local", check=False)
        one.run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo", check=False)
        one.run("ip", "route", "add", "127.0.0.0/8", "via", "172.17.0.1", "dev", "eth0", check=False)
        with pytest.raises(OSError):
            one.call("127.0.0.1", 7000, 0.7)
        world.internet.run("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
        world.internet.run("ip", "route", "del", "local", "127.0.0.0/8", "table", "local", check=False)
        world.internet.run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo", check=False)
        world.internet.run("ip", "route", "add", "127.0.0.0/8", "via", HOST4)
        with pytest.raises(OSError):
            world.internet.call("127.0.0.1", 7000, 0.7)


async def test_ipv6_networks_reach_each_other_and_the_outside(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="six", enable_ipv6=True))
    one, two = await world.run(daemon, network="six"), await world.run(daemon, network="six")
    assert one.pings(two.endpoint("six").global_ipv6_address)
    with world.internet.listen(8000, "::") as server:
        assert one.reach("2001:db8::2", 8000, server) == "2001:db8::1"


async def test_a_static_address_is_given_once_and_again_after_release(world: World) -> None:
    daemon = await world.daemon()
    config = ({"Subnet": "10.55.0.0/24"},)
    await daemon.controller.catalogue.create(NetworkCreate(name="n", ipam_config=config))
    settings = EndpointSettings(ipam_config=EndpointIpamConfig(ipv4_address="10.55.0.77"))
    for _ in range(3):
        one = await world.run(daemon, network="n", settings=settings)
        assert one.ip == "10.55.0.77"
        with pytest.raises(ForbiddenError, match="Address already in use"):
            await world.run(daemon, network="n", settings=settings)
        one.kill()
        await daemon.controller.release(one.id)


async def test_a_running_container_joins_and_leaves_networks(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="extra"))
    one, two = await world.run(daemon, "one"), await world.run(daemon, "two", network="extra")
    assert not one.pings(two.ip)
    sandbox = await daemon.controller.connect(one.id, one.pid, daemon.controller.find("extra"), EndpointSettings(aliases=("late",)))
    assert set(sandbox.endpoints) == {"bridge", "extra"}
    assert one.pings(two.ip)
    assert two.ask("late") == (0, [sandbox.endpoints["extra"].ip_address])
    assert one.ask("two") == (0, [two.ip])
    assert "eth1" in one.run("ip", "-br", "link")
    sandbox = await daemon.controller.disconnect(one.id, daemon.controller.find("extra"))
    assert set(sandbox.endpoints) == {"bridge"}
    await daemon.settle()
    assert not one.pings(two.ip)
    assert "eth1" not in one.run("ip", "-br", "link")
    assert "default via 172.17.0.1" in one.run("ip", "route")


async def test_the_gateway_follows_priority_then_name(world: World) -> None:
    daemon = await world.daemon()
    for name in ("aa", "zz"):
        await daemon.controller.catalogue.create(NetworkCreate(name=name))
    one = await world.run(daemon, network=("zz", "aa"))
    assert f"default via {one.endpoint('aa').gateway}" in one.run("ip", "route")
    two = await world.run(daemon, network=("zz", "aa"), settings={"zz": EndpointSettings(gw_priority=5)})
    assert f"default via {two.endpoint('zz').gateway}" in two.run("ip", "route")
    await daemon.controller.disconnect(two.id, daemon.controller.find("zz"))
    assert f"default via {two.endpoint('aa').gateway}" in two.run("ip", "route")


async def test_nothing_is_left_after_release_and_removal(world: World) -> None:
    daemon = await world.daemon()
    network = await daemon.controller.catalogue.create(NetworkCreate(name="n"))
    one = await world.run(daemon, network="n", ports={"80/tcp": [("", "8080")]})
    with pytest.raises(ForbiddenError, match="has active endpoints"):
        await daemon.controller.catalogue.remove(network)
    one.kill()
    await daemon.controller.release(one.id)
    await daemon.controller.catalogue.remove(network)
    await daemon.settle()
    with NetlinkSocket() as sock:
        assert {link.name for link in links.list_links(sock)} == {"lo", "up0", "argosy0"}
    assert "8080" not in world.host.run("nft", "list", "table", "inet", daemon.table())


async def test_none_and_host_modes_hold_an_endpoint_and_touch_nothing(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, network="none")
    assert one.run("ip", "-o", "link").count("\n") == 1
    assert one.endpoint("none").ip_address == ""
    two = world.container()
    await world.begin(daemon, two, "host")
    assert two.run("ip", "-o", "link").count("\n") == 1
    await daemon.controller.release(one.id)
    await daemon.controller.release(two.id)


async def test_foreign_links_and_other_daemons_are_left_alone(world: World) -> None:
    first = await world.daemon("aaaa1111", bridge="argA")
    other = await world.daemon("bbbb2222", bridge="argB")
    one, two = await world.run(first), await world.run(other)
    world.host.run("ip", "link", "add", "mine", "type", "bridge")
    rules = world.host.run("nft", "list", "table", "inet", other.table())
    await first.crash()
    await first.start({})
    assert two.pings(INTERNET4)
    assert world.host.run("nft", "list", "table", "inet", other.table()) == rules
    names = world.host.run("ip", "-br", "link")
    assert "mine" in names and "argB" in names
    assert f"veth{one.endpoint().endpoint_id[:11]}" not in names
    assert f"veth{two.endpoint().endpoint_id[:11]}" in names


async def test_a_bridge_that_somebody_deletes_comes_back_with_its_ports(world: World) -> None:
    daemon = await world.daemon()
    one, two = await world.run(daemon), await world.run(daemon)
    world.host.run("ip", "link", "del", "argosy0")
    await daemon.controller._reconcile()
    await daemon.controller._reconcile()
    # The first packets may be lost while both sides learn the new bridge's address.
    assert any(one.pings(two.ip) for _ in range(5))
    assert any(one.pings(INTERNET4) for _ in range(5))


async def test_no_descriptor_is_kept_of_a_container_that_went(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="n"))
    for _ in range(3):
        one = await world.run(daemon, network="n", ports={"80/tcp": [("", "")]})
        one.kill()
        await daemon.controller.release(one.id)
    await daemon.settle()
    before = len(os.listdir("/proc/self/fd"))
    netd = daemon.controller._services.netd_pid
    held = len(os.listdir(f"/proc/{netd}/fd"))
    for _ in range(10):
        one = await world.run(daemon, network="n", ports={"80/tcp": [("", "")]})
        one.kill()
        await daemon.controller.release(one.id)
    await daemon.settle()
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(os.listdir(f"/proc/{netd}/fd")) == held


async def test_link_local_addresses_are_given_beside_the_others(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="n"))
    config = EndpointIpamConfig(link_local_ips=("169.254.7.7", "fe80::77"))
    one = await world.run(daemon, network="n", settings=EndpointSettings(ipam_config=config))
    two = await world.run(daemon, network="n", settings=EndpointSettings(ipam_config=EndpointIpamConfig(link_local_ips=("169.254.7.8",))))
    shown = one.run("ip", "addr", "show", "dev", "eth0")
    assert "inet 169.254.7.7/16" in shown
    assert "inet6 fe80::77/64" in shown
    assert two.pings("169.254.7.7")


async def test_the_network_of_the_highest_priority_is_the_first_link(world: World) -> None:
    daemon = await world.daemon()
    for name in ("a", "b"):
        await daemon.controller.catalogue.create(NetworkCreate(name=name))
    one = await world.run(daemon, network=("a", "b"), settings={"b": EndpointSettings(gw_priority=5)})
    assert f"inet {one.endpoint('b').ip_address}/16" in one.run("ip", "addr", "show", "dev", "eth0")
    assert f"via {one.endpoint('b').gateway} dev eth0" in one.run("ip", "route", "show", "default")


async def test_a_network_may_have_several_subnets_each_with_its_own_way_out(world: World) -> None:
    daemon = await world.daemon()
    config = ({"Subnet": "10.91.0.0/24"}, {"Subnet": "10.92.0.0/24", "Gateway": "10.92.0.254"})
    await daemon.controller.catalogue.create(NetworkCreate(name="n", ipam_config=config))
    one = await world.run(daemon, network="n")
    two = await world.run(daemon, network="n", settings=EndpointSettings(ipam_config=EndpointIpamConfig("10.92.0.5")))
    assert (one.ip, two.endpoint("n").gateway) == ("10.91.0.2", "10.92.0.254")
    assert one.pings(two.ip)
    with world.internet.listen(8000) as server:
        assert one.reach(INTERNET4, 8000, server) == HOST4
        assert two.reach(INTERNET4, 8000, server) == HOST4


async def test_an_isolated_network_has_no_host(world: World) -> None:
    daemon = await world.daemon()
    options = {f"com.docker.network.bridge.gateway_mode_ipv{version}": "isolated" for version in (4, 6)}
    await daemon.controller.catalogue.create(NetworkCreate(name="n", internal=True, enable_ipv6=True, options=options))
    one, two = await world.run(daemon, "one", network="n"), await world.run(daemon, "two", network="n")
    assert one.endpoint("n").gateway == one.endpoint("n").ipv6_gateway == ""
    assert one.pings(two.ip)
    assert one.ask("two") == (0, [two.ip])
    assert one.ask("host.docker.internal") == (0, [])
    link = next(one.record.link for one in daemon.controller.catalogue.all() if one.record.name == "n")
    assert "inet" not in world.host.run("ip", "addr", "show", "dev", link)


async def test_a_link_lets_two_neighbours_talk_where_others_may_not(world: World) -> None:
    daemon = await world.daemon(icc=False)
    server, stranger = await world.run(daemon, "db"), await world.run(daemon, "stranger")
    client = await world.run(daemon, "app", links={"store": server.id})
    assert client.pings(server.ip)
    assert not client.pings(stranger.ip)
    assert not stranger.pings(server.ip)
    hosts = daemon.controller.hosts(client.request, client.sandbox).decode()  # type: ignore[arg-type]
    assert f"{server.ip}\tstore {server.id[:12]} db\n" in hosts
    await daemon.controller.release(client.id)
    await daemon.settle()
    assert client.ip not in world.host.nft(f"list table bridge {daemon.table()}\n")
