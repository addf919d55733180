"""Connections that the kernel tracks, and forgetting those to some UDP ports (nfnetlink_conntrack.h): rules are asked about new ones."""

import contextlib
import socket
import struct
from collections.abc import Collection

from argosy.linux.netlink.codec import Reply, Request, attribute, attributes
from argosy.linux.netlink.socket import NetlinkError, NetlinkSocket

NETLINK_NETFILTER = 12
_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_CTA_TUPLE_ORIG, _CTA_TUPLE_PROTO = 1, 2
_CTA_PROTO_NUM, _CTA_PROTO_DST_PORT = 1, 3
_NESTED = 0x8000
_HEAD = struct.Struct("=BBH")


def listing(family: int) -> Request:
    return Request(_GET, 0, _HEAD.pack(family, 0, 0), "list connections")


def udp_port(reply: Reply) -> int:
    """Return the port that a tracked UDP flow was sent to first, 0 for anything else."""
    parts = attributes(attributes(reply.body[_HEAD.size :]).get(_CTA_TUPLE_ORIG, b""))
    proto = attributes(parts.get(_CTA_TUPLE_PROTO, b""))
    number, port = proto.get(_CTA_PROTO_NUM), proto.get(_CTA_PROTO_DST_PORT)
    if number is None or port is None or number[0] != socket.IPPROTO_UDP:
        return 0
    return int(struct.unpack("!H", port)[0])


def forgetting(reply: Reply) -> Request:
    """Return the request that ends the tracking of a listed flow."""
    family = reply.body[0]
    original = attributes(reply.body[_HEAD.size :])[_CTA_TUPLE_ORIG]
    return Request(_DELETE, 0, _HEAD.pack(family, 0, 0) + attribute(_CTA_TUPLE_ORIG | _NESTED, bytes(original)), "forget a connection")


def forget_udp(ports: Collection[int]) -> None:
    """Forget the UDP flows to these ports in this thread's network namespace, wherever they were sent to.

    A kernel that does not tell of connections (no ctnetlink) is left as it is.
    """
    try:
        sock = NetlinkSocket(NETLINK_NETFILTER)
    except OSError:
        return
    with sock:
        for family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(NetlinkError):
                for reply in sock.dump(listing(family)):
                    if udp_port(reply) in ports:
                        # It may have ended meanwhile.
                        with contextlib.suppress(NetlinkError):
                            sock.run([forgetting(reply)])
