"""A netlink socket that sends many requests in one system call and reads all their answers."""

import os
import socket
from collections.abc import Sequence

from argosy.linux.netlink.codec import (
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    Reply,
    Request,
    failure,
    pack,
    unpack,
)

NETLINK_ROUTE = 0
NETLINK_SOCK_DIAG = 4
NETLINK_NETFILTER = 12
_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP = 1
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_RECEIVE = 1 << 16


class NetlinkError(OSError):
    """The kernel refused one request: errno, what was attempted, and its own words if it gave any."""

    def __init__(self, number: int, what: str, explanation: str = "") -> None:
        super().__init__(number, os.strerror(number))
        self.what = what
        self.explanation = explanation

    def __str__(self) -> str:
        reason = self.strerror or ""
        reason = reason[:1].lower() + reason[1:]
        return f"{self.what}: {reason}" + (f" ({self.explanation})" if self.explanation else "")


class NetlinkSocket:
    """Synchronous; belongs to the network namespace in which its socket was made (give one made elsewhere as ``sock``)."""

    def __init__(self, protocol: int = NETLINK_ROUTE, sock: socket.socket | None = None) -> None:
        self._sock = sock or socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._sequence = 0
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
            try:
                self._sock.setsockopt(_SOL_NETLINK, option, 1)
            except OSError:
                # Before 4.12; errors then come without the kernel's words.
                continue

    def __enter__(self) -> "NetlinkSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def join(self, group: int) -> None:
        """Receive what is multicast to ``group`` of this protocol; the socket no longer blocks.

        A socket without an address gets no multicast at all: address 0 is what the kernel's own messages leave out.
        """
        self._sock.bind((0, 0))
        self._sock.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        self._sock.setblocking(False)

    def receive(self) -> list[Reply]:
        """Return multicast messages that wait; empty when there are none. ENOBUFS (some were lost) is raised."""
        try:
            return list(unpack(self._sock.recv(_RECEIVE)))
        except BlockingIOError:
            return []

    def run(self, requests: Sequence[Request]) -> None:
        """Do all requests in order, in one system call.

        The kernel goes on after a refusal; the first one is raised as NetlinkError once all answers are in.
        """
        first = self._sequence + 1
        self._sequence += len(requests)
        batch = b"".join(
            pack(request._replace(flags=request.flags | NLM_F_REQUEST | NLM_F_ACK), first + number)
            for number, request in enumerate(requests)
        )
        self._sock.send(batch)
        error: NetlinkError | None = None
        waiting = len(requests)
        while waiting:
            for reply in unpack(self._sock.recv(_RECEIVE)):
                if reply.type != NLMSG_ERROR or not first <= reply.sequence <= self._sequence:
                    continue
                waiting -= 1
                number, explanation = failure(reply)
                if number and error is None:
                    error = NetlinkError(number, requests[reply.sequence - first].what, explanation)
        if error is not None:
            raise error

    def dump(self, request: Request) -> list[Reply]:
        """Return all answers to a dump request. Raises NetlinkError."""
        self._sequence += 1
        self._sock.send(pack(request._replace(flags=request.flags | NLM_F_REQUEST | NLM_F_DUMP), self._sequence))
        found: list[Reply] = []
        while True:
            for reply in unpack(self._sock.recv(_RECEIVE)):
                if reply.sequence != self._sequence:
                    continue
                if reply.type == NLMSG_DONE:
                    return found
                if reply.type == NLMSG_ERROR:
                    number, explanation = failure(reply)
                    raise NetlinkError(number, request.what, explanation)
                found.append(reply)

    def get(self, request: Request) -> Reply:
        """Return the one answer to a request. Raises NetlinkError."""
        self._sequence += 1
        self._sock.send(pack(request._replace(flags=request.flags | NLM_F_REQUEST), self._sequence))
        while True:
            for reply in unpack(self._sock.recv(_RECEIVE)):
                if reply.sequence != self._sequence:
                    continue
                if reply.type == NLMSG_ERROR:
                    number, explanation = failure(reply)
                    raise NetlinkError(number, request.what, explanation)
                return reply
