"""Endpoints whose bandwidth is limited: measured, changed while they run, and kept over the daemon's deaths."""

import socket
import threading
import time

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.linux import netns
from argosy.linux.netlink import NetlinkSocket, queue
from argosy.network import bandwidth
from argosy.network.model import EndpointSettings, NetworkCreate
from integration.network.world import Container, Namespace, World

pytestmark = pytest.mark.root

MEGABYTE = 1 << 20


def limited(down: str = "none", up: str = "none") -> EndpointSettings:
    return EndpointSettings(driver_opts={bandwidth.DOWN: down, bandwidth.UP: up})


def rate(sender: Namespace, receiver: Container, size: int) -> float:
    """Return the bits a second at which ``size`` bytes go to a container, after a tenth of them (what the bucket held)."""
    with receiver.listen(9000) as server, sender.call(receiver.ip, 9000, timeout=30) as client:
        peer, _ = server.accept()
        pump = threading.Thread(target=client.sendall, args=(bytes(size),))
        pump.start()
        with peer:
            peer.settimeout(30)
            got, begin = 0, 0.0
            while got < size:
                got += len(peer.recv(65536))
                if not begin and got >= size // 10:
                    begin, first = time.monotonic(), got
        pump.join()
        return (got - first) * 8 / (time.monotonic() - begin)


def buckets(world: World, container: Container) -> tuple[int, int]:
    """Return (down, up) in bits a second as the kernel has them, 0 for none."""
    assert container.sandbox is not None
    found = []
    for fd, name in ((world.host.fd, f"veth{next(iter(container.sandbox.endpoints.values())).endpoint_id[:11]}"), (container.fd, "eth0")):
        with netns.entered(fd):
            index = socket.if_nametoindex(name)
            with NetlinkSocket() as sock:
                found.append(queue.shaped_links(sock).get(index, 0) * 8)
    return found[0], found[1]


async def test_each_direction_of_an_endpoint_has_a_limit_of_its_own(world: World) -> None:
    daemon = await world.daemon()
    free, tight = await world.run(daemon), await world.run(daemon, settings=limited("16mbit", "8mbit"))
    assert 0.5 * 16e6 < rate(free, tight, 2 * MEGABYTE) < 1.3 * 16e6
    assert 0.5 * 8e6 < rate(tight, free, MEGABYTE) < 1.3 * 8e6
    other = await world.run(daemon)
    assert rate(free, other, 64 * MEGABYTE) > 10 * 16e6


async def test_a_limit_is_changed_and_lifted_while_the_container_runs(world: World) -> None:
    daemon = await world.daemon()
    free, tight = await world.run(daemon), await world.run(daemon)
    assert buckets(world, tight) == (0, 0)
    ref = daemon.controller.find("bridge")
    await daemon.controller.limit(tight.id, ref, limited("8mbit"))
    assert buckets(world, tight) == (8_000_000, 0)
    assert rate(free, tight, MEGABYTE) < 1.3 * 8e6
    await daemon.controller.limit(tight.id, ref, limited("64mbit", "1gbit"))
    assert buckets(world, tight) == (64_000_000, 1_000_000_000)
    assert rate(free, tight, 4 * MEGABYTE) > 2 * 8e6
    await daemon.controller.limit(tight.id, ref, limited())
    assert buckets(world, tight) == (0, 0)
    await daemon.controller.limit(tight.id, ref, limited())


async def test_a_network_joined_later_has_limits_of_its_own(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="slow"))
    one = await world.run(daemon)
    one.sandbox = await daemon.controller.connect(one.id, one.pid, daemon.controller.find("slow"), limited("8mbit"))
    assert buckets(world, one) == (0, 0)
    with netns.entered(world.host.fd), NetlinkSocket() as sock:
        assert list(queue.shaped_links(sock).values()) == [1_000_000]


async def test_a_daemon_that_comes_back_makes_the_limits_what_the_settings_say(world: World) -> None:
    daemon = await world.daemon()
    tight = await world.run(daemon, settings=limited("8mbit", "4mbit"))
    free = await world.run(daemon)
    assert buckets(world, tight) == (8_000_000, 4_000_000)
    await daemon.crash()
    # What a daemon that died in the middle of changing them may leave.
    with netns.entered(tight.fd), NetlinkSocket() as sock:
        sock.run([queue.unshape(socket.if_nametoindex("eth0"))])
    with netns.entered(world.host.fd), NetlinkSocket() as sock:
        sock.run([queue.shape(socket.if_nametoindex(_host_link(free)), 1_000_000, 15000, 100_000)])
    await daemon.start(world.running())
    assert buckets(world, tight) == (8_000_000, 4_000_000)
    assert buckets(world, free) == (0, 0)


def _host_link(container: Container) -> str:
    return f"veth{container.endpoint().endpoint_id[:11]}"


async def test_what_cannot_be_limited_is_refused_before_anything_starts(world: World) -> None:
    daemon = await world.daemon()
    ref = daemon.controller.find("bridge")
    with pytest.raises(InvalidParameterError, match=r"argosy\.net\.down: invalid bandwidth '8mbps'"):
        daemon.controller.check(ref, limited("8mbps"))
    with pytest.raises(InvalidParameterError, match="a link of its own"):
        daemon.controller.check(daemon.controller.find("host"), limited("8mbit"))
    daemon.controller.check(ref, limited("8mbit", "1.5gbit"))
