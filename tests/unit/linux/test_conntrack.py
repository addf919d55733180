"""Tracked flows as the kernel lists them, and the request that ends one."""

import struct

from argosy.linux.netlink import conntrack
from argosy.linux.netlink.codec import Reply, attribute, attributes


def flow(protocol: int, port: int) -> Reply:
    proto = attribute(1, bytes([protocol])) + attribute(2, struct.pack("!H", 40000)) + attribute(3, struct.pack("!H", port))
    address = attribute(1, bytes([192, 0, 2, 1])) + attribute(2, bytes([203, 0, 113, 1]))
    original = attribute(1 | 0x8000, attribute(1 | 0x8000, address) + attribute(2 | 0x8000, proto))
    return Reply(0x0100, 0, 1, memoryview(bytes([2, 0, 0, 0]) + original + attribute(3, bytes(4))))


def test_only_udp_flows_have_a_port_to_be_forgotten_by() -> None:
    assert conntrack.udp_port(flow(17, 53)) == 53
    assert conntrack.udp_port(flow(6, 53)) == 0
    assert conntrack.udp_port(Reply(0x0100, 0, 1, memoryview(bytes([2, 0, 0, 0])))) == 0


def test_a_flow_is_named_by_its_first_direction_alone() -> None:
    listed = flow(17, 53)
    request = conntrack.forgetting(listed)
    assert request.body[0] == 2
    sent, known = attributes(request.body[4:]), attributes(listed.body[4:])
    assert set(sent) == {1}
    assert bytes(sent[1]) == bytes(known[1])
