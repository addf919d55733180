"""The AppArmor profile that containers run under unless they ask for another: its text (pure), and loading it into the kernel.

It takes away what a container's root could still do to the machine with the capabilities that it holds by default: the effect is that
of Docker's ``docker-default``. apparmor.d(5), apparmor_parser(8).
"""

import asyncio
import logging
from pathlib import Path

from argosy.base.errors import SystemFailureError
from argosy.engine.platform.machine import Machine

DEFAULT = "argosy-default"
UNCONFINED = "unconfined"
_LIMIT = 60.0
_log = logging.getLogger(__name__)

# Rules know no exceptions to a pattern, so "all but cgroup" is spelled letter by letter. A deny wins over every allow, and is silent.
_RULES = """\
  network,
  unix,
  capability,
  file,
  umount,

  # The host may signal what runs here, containers of this profile each other as far as they see each other.
  signal (receive) peer={{{peers}}},
  signal (send, receive) peer={name},
  ptrace (trace, tracedby, read, readby) peer={name},

  deny mount,

  # /proc: only what belongs to processes is written, and under sys only what an IPC namespace holds of its own.
  deny /proc/* w,
  deny /proc/[^0-9s]*/** w,
  deny /proc/s[^y]*/** w,
  deny /proc/sy[^s]*/** w,
  deny /proc/sys[^/]*/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/k[^e]** w,
  deny /proc/sys/ke[^r]** w,
  deny /proc/sys/kernel/[^ms]** w,
  deny /proc/sys/kernel/m[^s]** w,
  deny /proc/sys/kernel/ms[^g]** w,
  deny /proc/sys/kernel/s[^eh]** w,
  deny /proc/sys/kernel/se[^m]** w,
  deny /proc/sys/kernel/sh[^m]** w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # /sys: nothing but its own cgroups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/kernel/security/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
"""


def profile(name: str = DEFAULT, *, abi: bool = True, daemon: str = UNCONFINED) -> str:
    """Return the profile's source. ``daemon``: the label that argosyd itself runs under, whose signals must arrive.

    ``abi`` pins what the rules speak about: kinds of access that later kernels mediate (user namespaces, io_uring) stay free, as they
    are on kernels that cannot mediate them.
    """
    # Distributions give runc and crun profiles of their own that confine nothing but have a name.
    peers = ",".join(dict.fromkeys((UNCONFINED, "runc", "crun", daemon)))
    head = "abi <abi/3.0>,\n\n" if abi else ""
    return f"{head}profile {name} flags=(attach_disconnected,mediate_deleted) {{\n{_RULES.format(name=name, peers=peers)}}}\n"


def is_loaded(profiles: str, name: str = DEFAULT) -> bool:
    """Tell whether the kernel's list (``/sys/kernel/security/apparmor/profiles``: ``name (mode)`` a line) has the profile."""
    return any(line.rpartition(" (")[0] == name for line in profiles.splitlines())


class AppArmor:
    """AppArmor on this machine. Where it is not ``supported`` containers have no profile, whatever they ask for (as with dockerd)."""

    def __init__(self, machine: Machine, root: Path = Path("/")) -> None:
        self.supported = machine.apparmor
        self._root = root
        self._parser = machine.apparmor_parser
        self._loading = asyncio.Lock()

    async def begin(self) -> None:
        """Load the default profile when the daemon comes up; a failure is logged here and told at each start that needs it."""
        try:
            await self.ensure()
        except SystemFailureError as error:
            _log.error("%s", error)

    async def ensure(self) -> None:
        """Return once the default profile is loaded. One that is there is left alone: an administrator's own text counts, too, and what
        unloaded it meanwhile (an upgrade of the apparmor package) is made good. Raises SystemFailureError."""
        if not self.supported or self._is_loaded():
            return
        async with self._loading:
            if not self._is_loaded():
                await self._load()

    def _is_loaded(self) -> bool:
        return is_loaded((self._root / "sys/kernel/security/apparmor/profiles").read_text(encoding="utf-8", errors="replace"))

    async def _load(self) -> None:
        label = (self._root / "proc/self/attr/current").read_text(encoding="utf-8").rstrip("\0\n").rpartition(" (")[0]
        text = profile(abi=(self._root / "etc/apparmor.d/abi/3.0").exists(), daemon=label or UNCONFINED)
        pipe = asyncio.subprocess.PIPE
        # Without the cache: nothing of ours is left under /var/cache.
        process = await asyncio.create_subprocess_exec(self._parser, "-Kr", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        try:
            output, _ = await asyncio.wait_for(process.communicate(text.encode()), _LIMIT)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            why = output.decode("utf-8", "replace").strip() or f"exit status {process.returncode}"
            raise SystemFailureError(
                f"AppArmor enabled on system but the {DEFAULT} profile could not be loaded: running '{self._parser} -Kr' failed: {why}"
            )
        _log.info("AppArmor profile %s loaded", DEFAULT)
