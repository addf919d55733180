"""macvlan and ipvlan: links of a container directly on one of the host's; the kernel may lack either."""

import os

from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError, SystemFailureError
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import link as links
from argosy.linux.netlink.link import IPVLAN_MODES, MACVLAN_MODES
from argosy.linux.netlink.socket import NetlinkError

PARENT = "parent"
_MODE = {"macvlan": "macvlan_mode", "ipvlan": "ipvlan_mode"}
_MODES = {"macvlan": MACVLAN_MODES, "ipvlan": IPVLAN_MODES}
_DEFAULT = {"macvlan": "bridge", "ipvlan": "l2"}


def mode(driver: str, options: dict[str, str]) -> str:
    """Return the mode that the options ask for. Raises InvalidParameterError."""
    value = options.get(_MODE[driver], "") or _DEFAULT[driver]
    if value not in _MODES[driver]:
        raise InvalidParameterError(
            f"requested {driver} mode '{value}' is not valid, '{_DEFAULT[driver]}' mode is the {driver} driver default"
        )
    return value


def ensure_parent(host: NetlinkSocket, driver: str, parent: str, network_id: str, alias: str) -> tuple[str, bool]:
    """Return (link to sit on, whether we made it): an existing one, a VLAN ``eth0.10``, or a dummy where none is named."""
    probe(host, driver)
    if parent and links.find_link(host, parent) is not None:
        return parent, False
    name = parent or f"dm-{network_id[:12]}"
    try:
        if not parent:
            host.run([links.add_dummy(name)])
        else:
            below, dot, number = parent.rpartition(".")
            under = links.find_link(host, below) if dot and number.isdecimal() else None
            if under is None:
                raise SystemFailureError(f"invalid subinterface vlan name {parent}, example formatting is eth0.10")
            host.run([links.add_vlan(name, under.index, int(number))])
        host.run([links.change_link(name, up=True, alias=alias)])
    except NetlinkError as error:
        raise SystemFailureError(str(error)) from error
    return name, True


def probe(host: NetlinkSocket, driver: str) -> None:
    """Raise NotImplementedInArgosyError when this kernel cannot make such links (tried on a link to nowhere)."""
    fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if driver == "macvlan":
            request = links.add_macvlan("argosy-probe", 0x7FFFFFFF, "bridge", "", 0, fd)
        else:
            request = links.add_ipvlan("argosy-probe", 0x7FFFFFFF, "l2", 0, fd)
        host.run([request])
    except NetlinkError as error:
        # EOPNOTSUPP comes before the parent is looked up (rtnl_newlink).
        if error.errno == 95:
            raise NotImplementedInArgosyError(f"the kernel of this host has no {driver} links (module {driver})") from error
    finally:
        os.close(fd)
