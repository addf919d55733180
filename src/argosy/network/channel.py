"""An endpoint's bandwidth made real: a token bucket at either end of its pair of links. Synchronous, for the kernel thread.

What leaves the host's end is what the container receives; what leaves the container's own end is what it sends. A container
with CAP_NET_ADMIN owns the latter and can undo it.
"""

import errno
import os
import socket

from argosy.base.errors import NotImplementedInArgosyError
from argosy.linux import netns
from argosy.linux.netlink import NetlinkError, NetlinkSocket, queue
from argosy.linux.netlink.link import Link
from argosy.network.bandwidth import Bandwidth, bucket
from argosy.network.inner import own_link
from argosy.network.model import Endpoint


def limit(host: NetlinkSocket, inner: NetlinkSocket, host_link: str, own: Link, wanted: Bandwidth) -> None:
    """Make the limits of one endpoint exactly these. ``own``: its link inside; ``host_link`` may be empty (macvlan).

    Raises NotImplementedInArgosyError where the kernel has no token buckets, NetlinkError.
    """
    if host_link:
        _set(host, socket.if_nametoindex(host_link), wanted.down, own.mtu)
    _set(inner, own.index, wanted.up, own.mtu)


def limit_running(host: NetlinkSocket, netns_pid: int, host_link: str, endpoint: Endpoint, wanted: Bandwidth) -> None:
    """The same for an endpoint of a running container."""
    fd = netns.open_pid(netns_pid)
    try:
        with netns.entered(fd):
            inner = NetlinkSocket()
        with inner:
            own = own_link(inner, endpoint)
            if own is None:
                raise OSError(errno.ENODEV, "its link in the container is gone")
            limit(host, inner, host_link, own, wanted)
    finally:
        os.close(fd)


def _set(sock: NetlinkSocket, index: int, rate: int, mtu: int) -> None:
    wanted = bucket(rate, mtu)
    try:
        sock.run([queue.shape(index, wanted.rate, wanted.burst, wanted.queue) if wanted else queue.unshape(index)])
    except NetlinkError as error:
        if wanted is None and error.errno in (errno.ENOENT, errno.EINVAL):
            return
        if error.errno == errno.ENOENT:
            # No such kind of queue (qdisc_create), and no module to be loaded.
            raise NotImplementedInArgosyError("the kernel of this host cannot limit bandwidth (module sch_tbf)") from error
        raise
