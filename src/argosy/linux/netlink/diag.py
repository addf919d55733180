"""Who listens: sock_diag(7) for TCP, asked without opening a connection that a program would notice."""

import socket
import struct

from argosy.linux.netlink.codec import NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, Request, pack, unpack

_SOCK_DIAG_BY_FAMILY = 20
_TCP_LISTEN = 10
_REQUEST = struct.Struct("=BBBBI")


def listening_ports(sock: socket.socket) -> set[int]:
    """Return the TCP ports that somebody listens on in the namespace where ``sock`` (NETLINK_SOCK_DIAG) was made."""
    ports: set[int] = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN) + bytes(48)
        sock.send(pack(Request(_SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body, "list listeners"), 1))
        done = False
        while not done:
            for reply in unpack(sock.recv(1 << 16)):
                if reply.type in (NLMSG_DONE, NLMSG_ERROR):
                    done = True
                    break
                # struct inet_diag_msg: family, state, timer, retrans, then the source port in network order.
                ports.add(int.from_bytes(reply.body[4:6], "big"))
    return ports
