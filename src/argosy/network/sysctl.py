"""Kernel settings of the host that networks need, and what they were before (Documentation/networking/ip-sysctl.rst)."""

import json
import os

_ROOT = "/proc/sys/net/"


def read(name: str) -> str:
    """Return a setting below net/, empty if the kernel has no such."""
    try:
        with open(_ROOT + name, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def write(name: str, value: str) -> bool:
    """Set it; False when it cannot be (no such setting, read-only /proc/sys)."""
    try:
        with open(_ROOT + name, "w", encoding="ascii") as file:
            file.write(value)
    except OSError:
        return False
    return True


def host_has_ipv6() -> bool:
    return os.path.exists("/proc/net/if_inet6") and read("ipv6/conf/all/disable_ipv6") != "1"


class Before:
    """What the settings were before we changed them, in a file that is gone after a reboot, as the changes are."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._values: dict[str, str] = {}
        try:
            with open(path, encoding="utf-8") as file:
                self._values = json.load(file)
        except (OSError, ValueError):
            self._values = {}

    def change(self, name: str, value: str) -> bool:
        """Set it if it is not, and remember what it was, first. Return whether it is as wanted."""
        now = read(name)
        if now == value:
            return True
        if name not in self._values:
            self._values[name] = now
            temporary = self._path + ".tmp"
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(self._values, file)
            os.replace(temporary, self._path)
        return write(name, value)

    def changed(self, name: str) -> bool:
        """Whether it was us who changed it since the host booted."""
        return name in self._values

    def restore(self) -> None:
        """Put everything back; the last act of a daemon that is removed from the host."""
        for name, value in self._values.items():
            write(name, value)
        self._values.clear()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            return


def enable_ipv6_forwarding(before: Before) -> None:
    """A host that forwards IPv6 stops listening to router advertisements unless told to go on (accept_ra=2)."""
    if read("ipv6/conf/all/forwarding") == "1":
        return
    for link in sorted(os.listdir("/proc/sys/net/ipv6/conf")):
        if link not in ("all", "default", "lo") and read(f"ipv6/conf/{link}/accept_ra") == "1":
            before.change(f"ipv6/conf/{link}/accept_ra", "2")
    before.change("ipv6/conf/all/forwarding", "1")
