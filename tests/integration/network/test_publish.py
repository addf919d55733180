"""Published ports: from the outside, from the host, from containers; refused until the program listens."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from argosy.base.errors import SystemFailureError
from argosy.linux import netns
from argosy.network.model import EndpointSettings, NetworkCreate
from integration.network.world import HOST4, HOST6, INTERNET4, PATIENCE, Container, World, eventually, request

pytestmark = pytest.mark.root

ANY = {"80/tcp": [("", "8080")]}


def is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


async def in_thread(work: Callable[..., object], *args: object) -> object:
    return await asyncio.to_thread(work, *args)


async def test_a_port_is_reached_from_outside_from_the_host_and_on_its_loopback(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports=ANY)
    assert one.sandbox is not None
    assert one.sandbox.ports == {"80/tcp": (("0.0.0.0", "8080"), ("::", "8080"))}
    with one.listen(80) as server:
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        assert world.host.reach(HOST4, 8080, server) == HOST4
        assert world.host.reach("127.0.0.1", 8080, server) == "172.17.0.1"
        assert world.host.reach("172.17.0.1", 8080, server) == "172.17.0.1"


async def test_it_refuses_until_the_program_listens_and_after(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports=ANY)
    places = [(world.internet, HOST4), (world.host, "127.0.0.1"), (world.host, "::1"), (world.internet, HOST6)]
    for where, address in places:
        assert is_refused(lambda: where.call(address, 8080)), address
    with one.listen(80):
        for where, address in places:
            await eventually(lambda: not is_refused(lambda: where.call(address, 8080).close()))
    await eventually(lambda: is_refused(lambda: world.host.call("127.0.0.1", 8080)))
    for where, address in places:
        # The first one to come finds out for the proxy; from then on it refuses.
        await eventually(lambda: is_refused(lambda: where.call(address, 8080).close()))


async def test_ipv6_clients_reach_a_container_without_ipv6(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports=ANY)
    with one.listen(80) as server:
        for where, address in ((world.host, "::1"), (world.internet, HOST6)):
            await eventually(lambda: not is_refused(lambda: where.call(address, 8080).close()))
            while True:
                server.settimeout(0.3)
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    break
            server.settimeout(PATIENCE)
            assert where.reach(address, 8080, server) == "172.17.0.1"


async def test_half_closed_megabytes_pass_the_proxy_unchanged(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports=ANY)
    blob = bytes(range(256)) * 16384

    def serve(server: socket.socket) -> bytes:
        peer, _ = server.accept()
        with peer:
            peer.settimeout(20)
            got = b"".join(iter(lambda: peer.recv(65536), b""))
            peer.sendall(got[::-1])
        return got

    with one.listen(80) as server:
        await eventually(lambda: not is_refused(lambda: world.host.call("::1", 8080).close()))
        server.accept()[0].close()
        serving = asyncio.ensure_future(in_thread(serve, server))
        client = world.host.call("::1", 8080)

        def talk() -> bytes:
            client.settimeout(20)
            client.sendall(blob)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65536), b""))

        assert await in_thread(talk) == blob[::-1]
        assert await serving == blob
        client.close()


async def test_udp_is_published_on_both_families(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports={"53/udp": [("", "5353")]})
    with one.listen(53, kind=socket.SOCK_DGRAM) as server:
        for where, address in ((world.internet, HOST4), (world.host, "127.0.0.1"), (world.host, "::1"), (world.internet, HOST6)):
            with netns.entered(where.fd):
                client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            with client:
                client.settimeout(PATIENCE)
                client.connect((address, 5353))
                client.send(b"question")
                data, source = server.recvfrom(100)
                server.sendto(b"answer to " + data, source)
                assert client.recv(100) == b"answer to question", address


async def test_a_container_reaches_its_own_and_its_neighbours_published_port(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="other"))
    one, two, three = await world.run(daemon, ports=ANY), await world.run(daemon), await world.run(daemon, network="other")
    with one.listen(80) as server:
        assert one.reach(HOST4, 8080, server) == "172.17.0.1"
        assert two.reach(HOST4, 8080, server) == "172.17.0.1"
        assert three.reach(HOST4, 8080, server) == three.ip


async def test_an_unpublished_port_is_not_reached_by_a_neighbour_that_routes_to_it(world: World) -> None:
    daemon = await world.daemon()
    one = await world.run(daemon, ports={"80/tcp": [("127.0.0.1", "8080")]})
    world.internet.run("ip", "route", "add", "172.17.0.0/16", "via", HOST4)
    with one.listen(80) as server, one.listen(81) as hidden:
        for port in (80, 81):
            with pytest.raises(OSError):
                world.internet.call(one.ip, port, 0.7)
        assert world.host.reach("127.0.0.1", 8080, server) == "172.17.0.1"
        assert world.host.reach(one.ip, 81, hidden) == "172.17.0.1"
        assert is_refused(lambda: world.internet.call(HOST4, 8080))


async def test_a_taken_port_is_refused_in_dockers_words_and_nothing_is_kept(world: World) -> None:
    daemon = await world.daemon()
    await world.run(daemon, ports=ANY)
    two = world.container("two")
    with pytest.raises(SystemFailureError, match=r"endpoint two \([0-9a-f]{64}\): Bind for 0.0.0.0:8080 failed: port is already allocated"):
        await world.begin(daemon, two, ports=ANY)
    with (
        world.host.listen(8081, "127.0.0.1"),
        pytest.raises(SystemFailureError, match=r"failed to bind host port for 0.0.0.0:8081:172.17.0.3:80/tcp: address already in use"),
    ):
        await world.begin(daemon, two, ports={"80/tcp": [("", "8081")]})
    with pytest.raises(SystemFailureError, match=r"failed to bind host port for 9.9.9.9:8082:172.17.0.3:80/tcp: cannot assign requested"):
        await world.begin(daemon, two, ports={"80/tcp": [("9.9.9.9", "8082")]})
    with pytest.raises(SystemFailureError, match=r"80/sctp: protocol not supported|unknown"):
        await world.begin(daemon, two, ports={"80/sctp": [("", "8083")]})
        pytest.skip("this kernel has SCTP")
    with pytest.raises(SystemFailureError, match="unknown protocol"):
        await world.begin(daemon, two, ports={"80/foo": [("", "8083")]})
    await world.begin(daemon, two, ports={"80/tcp": [("", "8081")]})
    assert two.ip == "172.17.0.3"
    with pytest.raises(OSError):
        world.host.listen(8081).close()


async def test_ranges_and_free_ports_are_chosen_as_docker_does(world: World) -> None:
    daemon = await world.daemon()
    asked = [await world.run(daemon, ports={"80/tcp": [("", "9000-9002")]}) for _ in range(3)]
    assert [one.host_port() for one in asked] == [9000, 9001, 9002]
    with pytest.raises(SystemFailureError, match="port is already allocated"):
        await world.run(daemon, ports={"80/tcp": [("", "9000-9002")]})
    free = [await world.run(daemon, ports={"80/tcp": [("", "")]}) for _ in range(2)]
    low, high = map(int, world.host.run("cat", "/proc/sys/net/ipv4/ip_local_port_range").split())
    assert all(low <= one.host_port() <= high for one in free)
    every = world.container()
    every.request = request(daemon, every, ("bridge",), EndpointSettings(), publish_all=True, exposed_ports=("80/tcp", "53/udp"))
    sandbox = await daemon.controller.reserve(every.request)
    assert all(len(bindings) == 2 for bindings in sandbox.ports.values())
    assert set(sandbox.ports) == {"80/tcp", "53/udp"}
    await daemon.controller.release(every.id)


async def test_a_port_is_free_again_as_soon_as_release_returns(world: World) -> None:
    daemon = await world.daemon()
    for _ in range(5):
        one = await world.run(daemon, ports=ANY)
        with one.listen(80) as server:
            assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        one.kill()
        await daemon.controller.release(one.id)
        world.host.listen(8080).close()
        world.host.listen(8080, "::").close()


async def test_only_those_on_the_list_reach_a_guarded_port(world: World) -> None:
    daemon = await world.daemon()
    allowed = EndpointSettings(driver_opts={"argosy.publish.allow.80": f"10.0.0.0/8,{INTERNET4}"})
    denied = EndpointSettings(driver_opts={"argosy.publish.allow.80/tcp": "10.0.0.0/8"})
    one = await world.run(daemon, ports={"80/tcp": [("", "8080")]}, settings=allowed)
    two = await world.run(daemon, ports={"80/tcp": [("", "8081")]}, settings=denied)
    with one.listen(80) as server, two.listen(80):
        assert world.internet.reach(HOST4, 8080, server) == INTERNET4
        with pytest.raises(TimeoutError):
            world.internet.call(HOST4, 8081, 0.7)
        for port in (8080, 8081):
            # The proxy cannot tell who may: it does not listen.
            assert is_refused(lambda: world.internet.call(HOST6, port))
    found = [port.sources for port in daemon.controller.audit().ports]
    assert found == [("10.0.0.0/8", f"{INTERNET4}/32")] * 2 + [("10.0.0.0/8",)] * 2


async def test_a_list_of_the_containers_own_holds_whatever_network_its_ports_lead_to(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="n"))
    guarded = {"80/tcp": ("10.0.0.0/8",), "81/tcp": (f"{INTERNET4}/32",)}
    ports = {"80/tcp": [("", "8080")], "81/tcp": [("", "8081")]}
    one = await world.run(daemon, network=("bridge", "n"), ports=ports, allow=guarded)
    await daemon.controller.disconnect(one.id, daemon.controller.find("bridge"))
    with one.listen(80) as server, one.listen(81) as other:
        with pytest.raises(TimeoutError):
            world.internet.call(HOST4, 8080, 0.7)
        assert world.internet.reach(HOST4, 8081, other) == INTERNET4
        # The host itself is no stranger.
        assert world.host.reach(HOST4, 8080, server)


async def test_a_trusted_link_reaches_published_ports_at_the_containers_own_address(world: World) -> None:
    daemon = await world.daemon()
    for name, trusted in (("m", "up0:other0"), ("o", "other0")):
        options = {"com.docker.network.bridge.trusted_host_interfaces": trusted}
        await daemon.controller.catalogue.create(NetworkCreate(name=name, options=options))
    one = await world.run(daemon, network="m", ports={"80/tcp": [("", "8080")]})
    two = await world.run(daemon, network="o", ports={"80/tcp": [("", "8081")]})
    for subnet in ("172.18.0.0/16", "172.19.0.0/16"):
        world.internet.run("ip", "route", "add", subnet, "via", HOST4)
    with one.listen(80) as server, one.listen(81), two.listen(80):
        assert world.internet.reach(one.ip, 80, server) == INTERNET4
        for address, port in ((one.ip, 81), (two.ip, 80)):
            with pytest.raises(OSError):
                world.internet.call(address, port, 0.7)


async def test_without_packet_rules_the_proxy_carries_everything(world: World) -> None:
    daemon = await world.daemon(iptables=False)
    one = await world.run(daemon, ports=ANY)
    with one.listen(80) as server:
        await eventually(lambda: not is_refused(lambda: world.host.call("127.0.0.1", 8080).close()))
        server.accept()[0].close()
        assert world.internet.reach(HOST4, 8080, server) == "172.17.0.1"
    assert "argosy" not in world.host.run("nft", "list", "tables")


async def test_an_ipv6_container_is_reached_without_the_proxy(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="six", enable_ipv6=True))
    one = await world.run(daemon, network="six", ports=ANY)
    with one.listen(80, "::") as server:
        assert world.internet.reach(HOST6, 8080, server) == "2001:db8::2"


@pytest.mark.parametrize("mode", ["nat-unprotected", "routed"])
async def test_gateway_modes_let_the_containers_own_address_be_reached(world: World, mode: str) -> None:
    daemon = await world.daemon()
    options = {"com.docker.network.bridge.gateway_mode_ipv4": mode}
    await daemon.controller.catalogue.create(NetworkCreate(name="m", options=options))
    one = await world.run(daemon, network="m", ports=ANY)
    world.internet.run("ip", "route", "add", "172.18.0.0/16", "via", HOST4)
    with one.listen(80) as server, one.listen(81) as other:
        assert world.internet.reach(one.ip, 80, server) == INTERNET4
        if mode == "nat-unprotected":
            assert world.internet.reach(one.ip, 81, other) == INTERNET4
        else:
            with pytest.raises(OSError):
                world.internet.call(one.ip, 81, 0.7)


async def test_a_udp_client_that_never_stops_reaches_the_container_that_is_there_now(world: World) -> None:
    daemon = await world.daemon()
    ports = {"53/udp": [("", "5353")]}

    def heard(container: Container) -> bool:
        with container.listen(53, kind=socket.SOCK_DGRAM) as server:
            server.settimeout(0.02)

            def arrived() -> bool:
                try:
                    client.send(b"x")
                    return server.recv(16) == b"x"
                except (TimeoutError, ConnectionRefusedError):
                    return False

            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                if arrived():
                    return True
        return False

    with netns.entered(world.internet.fd):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.connect((HOST4, 5353))
        with contextlib.suppress(OSError):
            # Before there is a container, the flow leads to the host itself.
            client.send(b"early")
        one = await world.run(daemon, ports=ports)
        assert await asyncio.to_thread(heard, one)
        blocker = await world.run(daemon)
        await daemon.controller.release(one.id)
        two = await world.run(daemon, ports=ports)
        assert two.ip != one.ip
        assert await asyncio.to_thread(heard, two)
        one.kill()
        assert blocker.ip
