"""Links, addresses and routes as requests."""

import ipaddress
import struct

from argosy.linux.netlink import address, codec, link, queue


def test_a_veth_peer_is_born_in_its_namespace() -> None:
    request = link.add_veth("veth1", 1400, "eth0", "02:00:00:00:00:01", 9)
    assert request.what == "add veth veth1"
    outer = codec.attributes(request.body[16:])
    assert codec.string(outer[3]) == "veth1"
    info = codec.attributes(outer[18])
    assert codec.string(info[1]) == "veth"
    peer = codec.attributes(codec.attributes(info[2])[1][16:])
    assert codec.string(peer[3]) == "eth0"
    assert bytes(peer[1]).hex(":") == "02:00:00:00:00:01"
    assert struct.unpack("=I", peer[28]) == (9,)


def test_flags_change_only_when_asked() -> None:
    assert struct.unpack_from("=BxHiII", link.change_link("x", alias="a").body)[3:] == (0, 0)
    assert struct.unpack_from("=BxHiII", link.change_link("x", up=True).body)[3:] == (1, 1)
    assert struct.unpack_from("=BxHiII", link.change_link("x", up=False).body)[3:] == (0, 1)


def test_addresses_have_a_broadcast_in_ipv4_and_no_duplicate_check_in_ipv6() -> None:
    four = codec.attributes(address.add_address(2, ipaddress.ip_address("10.0.0.2"), 24).body[8:])
    assert bytes(four[4]) == b"\x0a\0\0\xff"
    assert 4 not in codec.attributes(address.add_address(2, ipaddress.ip_address("10.0.0.2"), 31).body[8:])
    six = codec.attributes(address.add_address(2, ipaddress.ip_address("fd00::2"), 64).body[8:])
    assert struct.unpack("=I", six[8])[0] & 2


def test_a_default_route_has_no_destination_and_is_deleted_whatever_its_scope() -> None:
    added = address.add_route(address.default_network(4), ipaddress.ip_address("10.0.0.1"), 0)
    assert set(codec.attributes(added.body[12:])) == {5}
    deleted = address.delete_route(address.default_network(4))
    assert deleted.body[6] == 255 and deleted.body[5] == 0


def test_a_token_bucket_has_its_rate_burst_and_queue() -> None:
    request = queue.shape(7, 1_000_000, 15_000, 115_000)
    link, handle, parent = struct.unpack_from("=iII", request.body, 4)
    assert (link, handle >> 16 != 0, parent) == (7, True, 0xFFFFFFFF)
    parts = codec.attributes(request.body[20:])
    assert codec.string(parts[1]) == "tbf"
    options = codec.attributes(parts[2])
    assert struct.unpack_from("=I", options[1], 8)[0] == 1_000_000
    assert struct.unpack_from("=I", options[1], 24)[0] == 115_000
    assert bytes(options[6]) == struct.pack("=I", 15_000)
    assert 4 not in options


def test_a_rate_beyond_32_bits_is_told_in_64() -> None:
    options = codec.attributes(codec.attributes(queue.shape(7, 1 << 34, 1, 1).body[20:])[2])
    assert struct.unpack_from("=I", options[1], 8)[0] == 0xFFFFFFFF
    assert bytes(options[4]) == struct.pack("=Q", 1 << 34)
