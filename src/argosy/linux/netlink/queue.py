"""The queue of a link: a token bucket that lets so many bytes a second out of it (tc-tbf(8), pkt_sched.h)."""

import struct

from argosy.linux.netlink.codec import NLM_F_CREATE, NLM_F_REPLACE, Request, attribute, attributes, nested, string, text, u32
from argosy.linux.netlink.socket import NetlinkSocket

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38

_TCA_KIND, _TCA_OPTIONS = 1, 2
_TCA_TBF_PARMS, _TCA_TBF_RATE64, _TCA_TBF_BURST = 1, 4, 6
_TC_H_ROOT = 0xFFFFFFFF
_HANDLE = 0xA9050000
"""Ours, so that a queue that somebody else set is not taken away in its place."""
_LINKLAYER_ETHERNET = 1
_MOST32 = 0xFFFFFFFF

_MESSAGE = struct.Struct("=BxxxiIII")
_RATE = struct.Struct("=BBHhHI")
_TBF = struct.Struct("=12s12sIII")


def _message(link: int, handle: int) -> bytes:
    return _MESSAGE.pack(0, link, handle, _TC_H_ROOT, 0)


def shape(link: int, rate: int, burst: int, limit: int) -> Request:
    """Let at most ``rate`` bytes a second out of a link; ``burst`` bytes at once, ``limit`` bytes waiting. A running one is changed.

    Packets larger than the burst that consist of segments are sent as those (tbf_segment); no loss by offloading.
    """
    spec = _RATE.pack(0, _LINKLAYER_ETHERNET, 0, 0, 0, min(rate, _MOST32))
    parts = [attribute(_TCA_TBF_PARMS, _TBF.pack(spec, bytes(12), limit, 0, 0)), u32(_TCA_TBF_BURST, burst)]
    if rate > _MOST32:
        parts.append(attribute(_TCA_TBF_RATE64, struct.pack("=Q", rate)))
    body = _message(link, _HANDLE) + text(_TCA_KIND, "tbf") + nested(_TCA_OPTIONS, *parts)
    return Request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, body, f"limit the rate of link {link}")


def unshape(link: int) -> Request:
    """Take our token bucket away. The kernel refuses (ENOENT, EINVAL) where there is none."""
    return Request(RTM_DELQDISC, 0, _message(link, _HANDLE), f"lift the limit of link {link}")


def shaped_links(sock: NetlinkSocket) -> dict[int, int]:
    """Return the rate in bytes a second of each link, by index, that has a token bucket of ours."""
    found = {}
    for reply in sock.dump(Request(RTM_GETQDISC, 0, _message(0, 0), "list queues")):
        _, link, handle, _, _ = _MESSAGE.unpack_from(reply.body)
        parts = attributes(reply.body[_MESSAGE.size :])
        if handle != _HANDLE or string(parts.get(_TCA_KIND)) != "tbf":
            continue
        options = attributes(parts.get(_TCA_OPTIONS, b""))
        wide, plain = options.get(_TCA_TBF_RATE64), options.get(_TCA_TBF_PARMS)
        if wide is not None:
            found[link] = struct.unpack("=Q", wide)[0]
        elif plain is not None:
            found[link] = _RATE.unpack_from(plain)[5]
    return found
