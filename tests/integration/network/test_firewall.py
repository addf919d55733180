"""Beside other people's firewalls: rules that come back, policies, marked rules and their removal."""

import asyncio
import json

import pytest

from argosy.network.firewall import rules
from argosy.network.model import NetworkCreate
from integration.network.world import HOST4, INTERNET4, Daemon, World, eventually

pytestmark = pytest.mark.root

PORTS = {"80/tcp": [("", "8080")]}
DROP = "table inet strict {\n chain forward {\n type filter hook forward priority 10; policy drop;\n }\n}\n"


def rules_of(world: World, daemon: Daemon) -> tuple[tuple[str, ...], rules.Elements] | None:
    """Return chains and elements; a hash set is listed in another order each time it is made."""
    listing: dict[str, list[object]] = {"nftables": []}
    for family in ("inet", "bridge"):
        text = world.host.run("nft", "-j", "list", "table", family, daemon.table(), check=False)
        if not text.startswith("{"):
            return None
        listing["nftables"] += json.loads(text)["nftables"]
    return rules.skeleton(listing), rules.found_elements(listing)


async def test_a_flush_heals_and_the_rules_are_equal(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="n", enable_ipv6=True))
    one, gone = await world.run(daemon, ports=PORTS), await world.run(daemon, network="n", ports={"80/tcp": [("", "8081")]})
    gone.kill()
    await daemon.controller.release(gone.id)
    before = rules_of(world, daemon)
    for script in (
        "flush ruleset",
        f"flush chain inet {daemon.table()} forward",
        f"delete element inet {daemon.table()} any4 {{ tcp . 8080 }}",
    ):
        world.host.nft(script + "\n")

        def same() -> bool:
            return rules_of(world, daemon) == before

        await eventually(same, 5)
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
    assert not any("8081" in text for _, text in (before or ((), ()))[1])


async def test_flushes_while_containers_come_and_go_leave_exactly_the_rules_of_those_that_are(world: World) -> None:
    daemon = await world.daemon()
    stays = await world.run(daemon, "stays", ports=PORTS)
    before = rules_of(world, daemon)

    async def churn(number: int) -> None:
        for _ in range(4):
            one = await world.run(daemon, ports={"80/tcp": [("", str(8100 + number))]})
            await daemon.controller.release(one.id)
            one.kill()

    async def flush() -> None:
        for _ in range(8):
            await asyncio.to_thread(world.host.nft, "flush ruleset\n")
            await asyncio.sleep(0)

    await asyncio.gather(flush(), *map(churn, range(4)))
    await eventually(lambda: rules_of(world, daemon) == before, 5)
    with stays.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        for number in range(4):
            with pytest.raises(OSError):
                world.internet.call(HOST4, 8100 + number, 0.7)


async def test_a_change_while_the_table_is_gone_makes_it_whole(world: World) -> None:
    daemon = await world.daemon()
    world.host.nft("flush ruleset\n")
    one = await world.run(daemon, ports=PORTS)
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4


async def test_open_lets_ports_through_a_dropping_chain_and_takes_its_rules_away_again(world: World) -> None:
    world.host.nft(DROP)
    before = world.host.run("nft", "list", "table", "inet", "strict")
    daemon = await world.daemon(policy="open")
    network = await daemon.controller.catalogue.create(NetworkCreate(name="n"))
    one = await world.run(daemon, ports=PORTS)
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
    assert one.pings(INTERNET4)
    assert network.record.link in world.host.run("nft", "list", "table", "inet", "strict")
    await daemon.controller.catalogue.remove(network)
    assert network.record.link not in world.host.run("nft", "list", "table", "inet", "strict")
    world.host.nft("flush chain inet strict forward\n")
    await eventually(lambda: daemon.table() in world.host.run("nft", "list", "table", "inet", "strict"))
    one.kill()
    await daemon.controller.release(one.id)
    await daemon.controller._table.remove()
    assert world.host.run("nft", "list", "table", "inet", "strict") == before


async def test_respect_host_adds_nothing_and_the_hosts_drop_counts(world: World) -> None:
    world.host.nft(DROP)
    before = world.host.run("nft", "list", "table", "inet", "strict")
    daemon = await world.daemon(policy="respect-host")
    one = await world.run(daemon, ports=PORTS)
    with one.listen(80) as server:
        with pytest.raises(OSError):
            world.internet.call(HOST4, 8080, 0.7)
        assert world.host.reach("127.0.0.1", 8080, server) == "172.17.0.1"
    assert world.host.run("nft", "list", "table", "inet", "strict") == before


async def test_localhost_publishes_on_loopback_unless_told_otherwise(world: World) -> None:
    daemon = await world.daemon(policy="localhost")
    one = await world.run(daemon, ports={"80/tcp": [("", "8080"), ("0.0.0.0", "8081")]})
    assert one.sandbox is not None
    assert one.sandbox.ports["80/tcp"] == (("127.0.0.1", "8080"), ("0.0.0.0", "8081"))
    with one.listen(80) as server:
        with pytest.raises(ConnectionRefusedError):
            world.internet.call(HOST4, 8080)
        assert world.internet.reach(HOST4, 8081, server) == INTERNET4
        assert world.host.reach("127.0.0.1", 8080, server) == "172.17.0.1"


async def test_iptables_chains_stay_readable_to_iptables(world: World) -> None:
    world.host.run("iptables", "-P", "FORWARD", "DROP")
    world.host.run("iptables", "-N", "DOCKER-USER")
    world.host.run("iptables", "-A", "FORWARD", "-j", "DOCKER-USER")
    daemon = await world.daemon()
    one = await world.run(daemon, ports=PORTS)
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
    shown = world.host.run("iptables", "-S", "FORWARD")
    assert f"-A FORWARD -i argosy0 -m comment --comment {daemon.table()} -j ACCEPT" in shown
    assert shown.index("DOCKER-USER") < shown.index("argosy0")


async def test_the_host_does_not_become_a_router_by_us(world: World) -> None:
    world.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    world.host.run("ip", "link", "add", "card0", "type", "dummy", check=False)
    daemon = await world.daemon()
    assert world.host.run("cat", "/proc/sys/net/ipv4/ip_forward").strip() == "1"
    assert json.loads((daemon.exec_root / "network-sysctl.json").read_text())["ipv4/ip_forward"] == "0"
    await daemon.controller.destroy()
    assert world.host.run("cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"
    assert "argosy" not in world.host.run("nft", "list", "tables")
