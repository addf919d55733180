"""The daemon, and what starts it."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.doctor.finding import NOTE, OK, Finding
from argosy.client import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.cli.doctor.machine import Machine
    from argosy.cli.session import Session

_SECTION = "daemon"


def probe(machine: Machine, session: Session) -> Iterator[Finding]:
    yield _reachable(session)
    yield _systemd(machine)
    if machine.exists("/var/run/docker.sock"):
        yield Finding(_SECTION, "docker", OK, "Docker's socket is there too; both can run side by side")


def info(session: Session) -> dict[str, object]:
    """Return what the daemon says of itself, nothing when it does not answer."""
    try:
        return session.call(system.info())
    except (ArgosyError, OSError):
        return {}


def _reachable(session: Session) -> Finding:
    try:
        found = session.call(system.version())
    except (ArgosyError, OSError) as error:
        first = str(error).partition("\n")[0]
        remedy = str(getattr(error, "advice", "")).partition("\n")[0] or "sudo systemctl start argosyd, or: sudo argosyd &"
        return Finding(_SECTION, "reachable", NOTE, first, "no command that needs the daemon works", remedy)
    return Finding(_SECTION, "reachable", OK, f"{session.endpoint.text}: version {found.get('Version')}, API {found.get('ApiVersion')}")


def _systemd(machine: Machine) -> Finding:
    if not machine.exists("/run/systemd/system"):
        return Finding(_SECTION, "systemd", OK, "not running here: start argosyd by hand, the cgroupfs driver is used")
    if any(
        machine.exists(f"{directory}/argosyd.service")
        for directory in ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
    ):
        return Finding(_SECTION, "systemd", OK, "argosyd.service is installed")
    return Finding(_SECTION, "systemd", NOTE, "argosyd.service is not installed", "the daemon does not start at boot", "sudo ./quickstart")
