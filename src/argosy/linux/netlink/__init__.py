"""Netlink by hand: raw batched messages where a container's start waits for them.

`codec` packs and parses, `socket` talks to the kernel, `link` and `address` know rtnetlink's words, `diag` asks who listens.
Sources: netlink(7), rtnetlink(7), sock_diag(7), include/uapi/linux/{netlink,rtnetlink,if_link,inet_diag}.h.
"""

from argosy.linux.netlink.codec import Request
from argosy.linux.netlink.socket import NetlinkError, NetlinkSocket

__all__ = ["NetlinkError", "NetlinkSocket", "Request"]
