"""Links, addresses and routes as requests."""

import ipaddress
import struct

from argosy.linux.netlink import address, codec, link


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
