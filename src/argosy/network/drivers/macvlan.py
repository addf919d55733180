"""macvlan and ipvlan: links of a container directly on one of the host's; the kernel may lack either."""

import errno
import os

from argosy.base.errors import NotImplementedInArgosyError, SystemFailureError
from argosy.linux.netlink import NetlinkSocket
from argosy.linux.netlink import link as links
from argosy.linux.netlink.link import IPVLAN_FLAGS, IPVLAN_MODES, MACVLAN_MODES
from argosy.linux.netlink.socket import NetlinkError

PARENT = "parent"
_MODE = {"macvlan": "macvlan_mode", "ipvlan": "ipvlan_mode"}
_MODES = {"macvlan": MACVLAN_MODES, "ipvlan": IPVLAN_MODES}
_DEFAULT = {"macvlan": "bridge", "ipvlan": "l2"}


def mode(driver: str, options: dict[str, str]) -> str:
    """Return the mode that the options ask for. Raises SystemFailureError in Docker's words and with its status."""
    value = options.get(_MODE[driver], "") or _DEFAULT[driver]
    if value not in _MODES[driver]:
        raise SystemFailureError(
            f"requested {driver} mode '{value}' is not valid, '{_DEFAULT[driver]}' mode is the {driver} driver default"
        )
    return value


def ensure_parent(host: NetlinkSocket, driver: str, parent: str, network_id: str, alias: str) -> tuple[str, bool]:
    """Return (link to sit on, whether we made it): an existing one, a VLAN ``eth0.10``, or a dummy where none is named."""
    probe(host, driver)
    found = links.find_link(host, parent) if parent else None
    if found is not None and found.loopback:
        raise SystemFailureError(f"loopback interface is not a valid {driver} parent link")
    if found is not None:
        return parent, False
    name = parent or f"dm-{network_id[:12]}"
    try:
        if not parent:
            host.run([links.add_dummy(name)])
        else:
            below, number = vlan(parent)
            under = links.find_link(host, below)
            if under is None:
                raise SystemFailureError(f"-o parent interface was not found on the host: {below}")
            host.run([links.add_vlan(name, under.index, number)])
        host.run([links.change_link(name, up=True, alias=alias)])
    except NetlinkError as error:
        if error.errno == errno.EOPNOTSUPP and not parent:
            reason = "this kernel has no dummy links for a network without a parent: name one with -o parent=LINK"
            raise NotImplementedInArgosyError(f"{driver}: {reason}") from error
        raise SystemFailureError(str(error)) from error
    return name, True


def vlan(parent: str) -> tuple[str, int]:
    """Return (link, VLAN) of ``eth0.10``. Raises SystemFailureError in Docker's words."""
    below, dot, number = parent.rpartition(".")
    if not dot or not below:
        raise SystemFailureError(f"invalid subinterface vlan name {parent}, example formatting is eth0.10")
    if not (number.isascii() and number.isdecimal()):
        raise SystemFailureError(f"unable to parse a valid vlan id from: {number} (ex. eth0.10 for vlan 10)")
    if not 1 <= int(number) <= 4094:
        raise SystemFailureError(f"vlan id must be between 1-4094, received: {int(number)}")
    return below, int(number)


def flag(options: dict[str, str]) -> str:
    """Return ipvlan's flag that the options ask for. Raises SystemFailureError in Docker's words."""
    value = options.get("ipvlan_flag", "") or "bridge"
    if value not in IPVLAN_FLAGS:
        raise SystemFailureError(f"requested ipvlan flag '{value}' is not valid, 'bridge' is the ipvlan driver default")
    return value


def routed(driver: str, options: dict[str, str]) -> bool:
    """Whether the container's packets are routed by the parent (ipvlan l3 and l3s): there is no neighbour, so no gateway either."""
    return driver == "ipvlan" and mode(driver, options) != "l2"


def probe(host: NetlinkSocket, driver: str) -> None:
    """Raise NotImplementedInArgosyError when this kernel cannot make such links (tried on a link to nowhere)."""
    fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if driver == "macvlan":
            request = links.add_macvlan("argosy-probe", 0x7FFFFFFF, "bridge", "", 0, fd)
        else:
            request = links.add_ipvlan("argosy-probe", 0x7FFFFFFF, "l2", "bridge", 0, fd)
        host.run([request])
    except NetlinkError as error:
        # EOPNOTSUPP comes before the parent is looked up (rtnl_newlink).
        if error.errno == 95:
            raise NotImplementedInArgosyError(f"the kernel of this host has no {driver} links (module {driver})") from error
    finally:
        os.close(fd)
