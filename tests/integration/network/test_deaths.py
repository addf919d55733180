"""The daemon or netd dies at any moment: what runs goes on, and nothing stays taken."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import link as links
from argosy.network.model import NetworkCreate
from argosy.network.settings import NetworkSettings
from integration.network.victim import FileStore
from integration.network.world import HOST4, INTERNET4, Container, Daemon, World, eventually

pytestmark = pytest.mark.root

PORTS = {"80/tcp": [("", "8080")]}
VICTIM = Path(__file__).with_name("victim.py")


async def ask(container: Container, name: str) -> tuple[int, list[str]]:
    return await asyncio.to_thread(container.ask, name)


async def test_a_new_daemon_takes_up_what_runs(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="net"))
    one, two = await world.run(daemon, "one", network="net", ports=PORTS), await world.run(daemon, "two", network="net")
    netd = daemon.controller._services.netd_pid
    await daemon.crash()
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        await daemon.start(world.running())
        assert daemon.controller._services.netd_pid == netd
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
    assert await ask(two, "one") == (0, [one.ip])
    three = await world.run(daemon, "three", network="net")
    assert three.ip not in (one.ip, two.ip)
    assert await ask(one, "three") == (0, [three.ip])
    view = await daemon.admin.inspect("net")
    assert {one["Name"] for one in view.containers.values()} == {"one", "two", "three"}
    one.kill()
    await daemon.controller.release(one.id)
    world.host.listen(8080).close()


async def test_ports_addresses_and_links_of_who_died_meanwhile_are_free(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports=PORTS)
    await daemon.crash()
    one.kill()
    await daemon.start(world.running())
    with NetlinkSocket() as sock:
        assert not [link for link in links.list_links(sock) if link.name.startswith("veth")]
    two = await world.run(daemon, ports=PORTS)
    assert two.ip == one.ip
    assert "8080" in world.host.run("nft", "list", "map", "inet", daemon.table(), "any4")


async def test_netd_killed_is_replaced_and_everything_works_again(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="net"))
    one, two = await world.run(daemon, "one", network="net", ports=PORTS), await world.run(daemon, "two", network="net")
    first = daemon.controller._services.netd_pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: daemon.controller._services.netd_pid not in (0, first))
    await eventually(lambda: not any(task.get_name() == "restart netd" for task in daemon.supervisor._tasks))
    assert await ask(two, "one") == (0, [one.ip])
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        await eventually(lambda: reaches(world, "::1", 8080))
    with pytest.raises(OSError):
        world.host.listen(8080)
    one.kill()
    await daemon.controller.release(one.id)
    world.host.listen(8080).close()


def reaches(world: World, address: str, port: int) -> bool:
    try:
        world.host.call(address, port).close()
    except OSError:
        return False
    return True


async def test_a_start_that_meets_a_dying_netd_waits_for_the_next(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="net"))
    one = await world.run(daemon, "one", network="net")
    os.kill(daemon.controller._services.netd_pid, signal.SIGKILL)
    two = await world.run(daemon, "two", network="net", ports=PORTS)
    assert await ask(two, "one") == (0, [one.ip])
    with two.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
    two.kill()
    await daemon.controller.release(two.id)
    world.host.listen(8080).close()


async def test_netd_and_daemon_killed_together(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="net"))
    one, two = await world.run(daemon, "one", network="net", ports=PORTS), await world.run(daemon, "two", network="net")
    netd = daemon.controller._services.netd_pid
    await daemon.crash()
    os.kill(netd, signal.SIGKILL)
    await daemon.start(world.running())
    assert await ask(two, "one") == (0, [one.ip])
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4


async def test_networks_survive_and_half_made_ones_do_not(world: World) -> None:
    daemon = await world.daemon()
    kept = await daemon.controller.catalogue.create(NetworkCreate(name="kept", labels={"a": "b"}, ipam_config=({"Subnet": "10.9.0.0/24"},)))
    bridge = next(network for network in await daemon.admin.list_({}) if network.name == "bridge")
    lost = await daemon.controller.catalogue.create(NetworkCreate(name="lost"))
    await daemon.crash()
    # As if it had died between making the link and keeping the record.
    await daemon.store.delete("network", lost.record.id)
    await daemon.start({})
    views = {network.name: network for network in await daemon.admin.list_({})}
    assert set(views) == {"bridge", "host", "none", "kept"}
    assert views["kept"].id == kept.record.id and views["kept"].labels == {"a": "b"}
    assert views["bridge"].id == bridge.id
    with NetlinkSocket() as sock:
        assert links.find_link(sock, lost.record.link) is None
        assert links.find_link(sock, kept.record.link) is not None


@pytest.mark.slow
async def test_killed_at_random_points_the_same_port_can_always_be_used_again(world: World, scale: float) -> None:
    """Row 3 of the behaviours: no "port is already allocated" after a crash, and no listener without a container."""
    chance = random.Random(20)
    state = world.tmp / "victim"
    state.mkdir()
    for _ in range(max(int(50 * scale), 5)):
        victim = subprocess.Popen([sys.executable, str(VICTIM), str(state)], stdout=subprocess.PIPE, text=True)
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == "ready"
        await asyncio.sleep(chance.random() * 0.05)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    daemon = Daemon("victim00", state / "exec", world_settings(world), FileStore(state / "store.json"))
    daemon.exec_root.mkdir(exist_ok=True)
    world.daemons.append(daemon)
    await daemon.start({})
    one = await world.run(daemon, ports={"80/tcp": [("", "8090")]})
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8090, server) == INTERNET4
    with NetlinkSocket() as sock:
        assert len([link for link in links.list_links(sock) if link.alias == daemon.controller.catalogue.alias]) == 2


def world_settings(world: World):

    resolv = world.tmp / "resolv.conf"
    resolv.write_text("")
    return NetworkSettings(resolv_conf=str(resolv))


def store_of(state: Path):
    from integration.network.victim import FileStore

    return FileStore(state / "store.json")
