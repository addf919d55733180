"""Names from inside: other containers, the outside, the host; and while no daemon is there."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from argosy.linux import netns
from argosy.network.dns import message
from argosy.network.dns.message import AAAA, NXDOMAIN, PTR, A
from argosy.network.model import EndpointSettings, NetworkCreate
from integration.network.world import INTERNET4, Container, Daemon, World

pytestmark = pytest.mark.root

OUTSIDE = {"example.test": ["192.0.2.7"], "big.test": [f"192.0.2.{n}" for n in range(1, 60)]}


class Upstream(asyncio.DatagramProtocol):
    """A name server in the internet: knows `OUTSIDE`, cuts what does not fit, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(self.reply(data, addr[0], message.parse_query(data).size), addr)  # type: ignore[attr-defined]

    def reply(self, data: bytes, client: str, limit: int) -> bytes:
        query = message.parse_query(data)
        self.asked.append((query.name, client))
        found = OUTSIDE.get(query.name)
        if found is None:
            return message.response(query, NXDOMAIN, [], ttl=9, limit=limit)
        records = [(A, socket.inet_aton(one)) for one in found] if query.kind == A else []
        return message.response(query, 0, records, ttl=9, limit=limit)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        reply = self.reply(await reader.readexactly(size), "tcp", 65535)
        writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
        writer.close()


async def serve(where: Container | object, address: str) -> tuple[Upstream, list[object]]:
    with netns.entered(where.fd):  # type: ignore[attr-defined]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    udp.bind((address, 53))
    tcp.bind((address, 53))
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Upstream, sock=udp)
    server = await asyncio.start_server(protocol.stream, sock=tcp)
    return protocol, [transport, server]


@pytest.fixture
async def upstream(world: World) -> AsyncIterator[Upstream]:
    protocol, parts = await serve(world.internet, INTERNET4)
    yield protocol
    for part in parts:
        part.close()  # type: ignore[attr-defined]


async def ask(container: Container, *args: object, **more: object) -> tuple[int, list[str]]:
    return await asyncio.to_thread(container.ask, *args, **more)  # type: ignore[arg-type]


async def network(world: World, **settings: object) -> Daemon:
    daemon = await world.daemon(**settings)
    await daemon.controller.catalogue.create(NetworkCreate(name="net"))
    return daemon


async def test_names_aliases_short_ids_and_hostnames_are_answered(world: World) -> None:
    daemon = await network(world)
    one = await world.run(daemon, "web", network="net", settings=EndpointSettings(aliases=("www",)), hostname="box")
    two = await world.run(daemon, "other", network="net")
    for name in ("web", "WEB", "www", one.id[:12], "box", "web.net"):
        assert await ask(two, name) == (0, [one.ip]), name
    assert await ask(two, "web", tcp=True) == (0, [one.ip])
    assert await ask(two, "web", edns=1232) == (0, [one.ip])
    assert await ask(two, "web", AAAA) == (0, [])
    assert await ask(two, ".".join(reversed(one.ip.split("."))) + ".in-addr.arpa", PTR) == (0, ["web.net"])
    assert await ask(two, "host.docker.internal") == (0, ["172.18.0.1"])


async def test_ipv6_names_have_both_kinds_of_address(world: World) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="six", enable_ipv6=True))
    one, two = await world.run(daemon, "a", network="six"), await world.run(daemon, "b", network="six")
    assert await ask(two, "a") == (0, [one.ip])
    assert await ask(two, "a", AAAA) == (0, [one.endpoint("six").global_ipv6_address])


async def test_a_shared_alias_is_answered_in_turn_and_never_by_who_went(world: World) -> None:
    daemon = await network(world)
    settings = EndpointSettings(aliases=("app",))
    asker = await world.run(daemon, "asker", network="net")
    apps = [await world.run(daemon, f"app{n}", network="net", settings=settings) for n in range(3)]
    firsts = {(await ask(asker, "app"))[1][0] for _ in range(6)}
    assert firsts == {app.ip for app in apps}
    while apps:
        gone = apps.pop()
        gone.kill()
        await daemon.controller.release(gone.id)
        _, found = await ask(asker, "app")
        assert set(found) == {app.ip for app in apps}


async def test_other_networks_names_are_not_seen_and_a_rename_is(world: World, upstream: Upstream) -> None:
    daemon = await network(world)
    await daemon.controller.catalogue.create(NetworkCreate(name="far"))
    one = await world.run(daemon, "old", network="net")
    stranger = await world.run(daemon, "stranger", network="far")
    assert (await ask(stranger, "old"))[0] == NXDOMAIN
    daemon.controller.rename(one.id, "new")
    await daemon.settle()
    two = await world.run(daemon, "two", network="net")
    assert await ask(two, "new") == (0, [one.ip])
    assert (await ask(two, "old"))[0] == NXDOMAIN


async def test_links_are_names_for_one_container_only(world: World, upstream: Upstream) -> None:
    daemon = await network(world)
    one = await world.run(daemon, "db", network="net")
    two = await world.run(daemon, "app", network="net", settings=EndpointSettings(links=("db:store",)))
    assert await ask(two, "store") == (0, [one.ip])
    assert (await ask(one, "store"))[0] == NXDOMAIN


async def test_the_outside_is_asked_from_the_host_with_tcp_where_udp_is_too_small(world: World, upstream: Upstream) -> None:
    daemon = await network(world)
    one = await world.run(daemon, network="net")
    assert await ask(one, "example.test") == (0, ["192.0.2.7"])
    assert upstream.asked[-1] == ("example.test", "203.0.113.1")
    assert (await ask(one, "nothing.test"))[0] == NXDOMAIN
    cut = await asyncio.to_thread(one.ask_raw, message.query(1, "big.test", A))
    assert message.truncated(cut)
    assert len((await ask(one, "big.test", tcp=True))[1]) == 59
    assert len((await ask(one, "big.test", edns=4096))[1]) == 59


async def test_named_servers_are_asked_from_inside_even_on_the_containers_own_loopback(world: World) -> None:
    daemon = await network(world)
    one = await world.run(daemon, network="net", dns=("127.0.0.1",))
    protocol, parts = await serve(one, "127.0.0.1")
    assert await ask(one, "example.test") == (0, ["192.0.2.7"])
    assert protocol.asked[-1] == ("example.test", "127.0.0.1")
    assert len((await ask(one, "big.test", tcp=True))[1]) == 59
    for part in parts:
        part.close()  # type: ignore[attr-defined]


async def test_a_silent_server_is_left_for_the_next_one(world: World, upstream: Upstream) -> None:
    (world.tmp / "resolv.conf").write_text(f"nameserver 203.0.113.77\nnameserver {INTERNET4}\n")
    daemon = await network(world)
    one = await world.run(daemon, network="net")
    assert await ask(one, "example.test") == (0, ["192.0.2.7"])


async def test_the_hosts_resolv_conf_is_followed(world: World, upstream: Upstream) -> None:
    (world.tmp / "resolv.conf").write_text("")
    daemon = await network(world)
    one = await world.run(daemon, network="net")
    assert (await ask(one, "example.test"))[0] == message.SERVFAIL
    (world.tmp / "resolv.conf").write_text(f"nameserver {INTERNET4}\n")
    assert await ask(one, "example.test") == (0, ["192.0.2.7"])


async def test_an_internal_network_tells_nothing_to_the_outside(world: World, upstream: Upstream) -> None:
    daemon = await world.daemon()
    await daemon.controller.catalogue.create(NetworkCreate(name="inside", internal=True))
    one, two = await world.run(daemon, "a", network="inside"), await world.run(daemon, "b", network="inside")
    assert await ask(one, "b") == (0, [two.ip])
    assert (await ask(one, "secret.example.test"))[0] == message.SERVFAIL
    assert upstream.asked == []


async def test_a_container_may_be_a_name_server_itself(world: World) -> None:
    daemon = await network(world)
    one, two = await world.run(daemon, "ns", network="net"), await world.run(daemon, "two", network="net")
    _, parts = await serve(one, "0.0.0.0")
    assert await ask(two, "example.test", server=one.ip) == (0, ["192.0.2.7"])
    assert await ask(one, "two") == (0, [two.ip])
    for part in parts:
        part.close()  # type: ignore[attr-defined]


async def test_names_resolve_while_the_daemon_is_away_and_the_dead_are_forgotten(world: World, upstream: Upstream) -> None:
    daemon = await network(world)
    one, two, three = [await world.run(daemon, name, network="net") for name in ("one", "two", "three")]
    ip = three.ip
    await daemon.crash()
    assert await ask(one, "two") == (0, [two.ip])
    three.kill()
    for _ in range(100):
        code, found = await ask(one, "three")
        if not found:
            break
        await asyncio.sleep(0.02)
    assert (code, found) == (NXDOMAIN, [])
    await daemon.start(world.running())
    assert await ask(one, "two") == (0, [two.ip])
    four = await world.run(daemon, "four", network="net")
    assert four.ip == ip
    assert await ask(one, "four") == (0, [four.ip])


async def test_garbage_is_answered_with_format_error_or_not_at_all(world: World) -> None:
    daemon = await network(world)
    one = await world.run(daemon, "one", network="net")
    reply = await asyncio.to_thread(one.ask_raw, b"\x12\x34\x01\x00\x00\x05\x00\x00\x00\x00\x00\x00")
    assert message.rcode(reply) == message.FORMERR
    assert await ask(one, "one") == (0, [one.ip])
