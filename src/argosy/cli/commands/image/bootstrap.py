"""``argosy image bootstrap``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING, STRINGS
from argosy.cli.images import names
from argosy.cli.output.progress import Bytes, Phases, Transfers
from argosy.cli.session import Session
from argosy.client import images, system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.cli.bootstrap.plan import Wanted

_PROGRAMS = {"debootstrap": "debootstrap", "tar": "tar", "unshare": "util-linux", "setpriv": "util-linux"}
_SCRIPTS = Path("/usr/share/debootstrap/scripts")
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_KEYRINGS = {
    "debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}


def run(session: Session, values: Values) -> None:
    from argosy.cli.bootstrap import plan, tidy, tree

    repository, tag = names.split(values.arguments[0])
    if tag.startswith("sha256:"):
        raise ExitError(1, f"{values.arguments[0]} is a digest: a name for the image is wanted, such as debian:bookworm")
    _check_machine()
    wanted = plan.wanted(
        repository,
        tag,
        suite=values.text("suite"),
        platform=values.text("platform"),
        arch=values.text("arch"),
        variant=values.text("variant"),
        include=values.texts("include"),
        own=_own_architecture(),
        binfmt=os.listdir(_BINFMT) if _BINFMT.is_dir() else (),
    )
    # Minutes of work need somebody to give it to.
    session.call(system.ping())
    apt = _apt_settings()
    mirror, sources = _archives(wanted, values.text("mirror"), apt)
    with tree.folder(Path(session.environ.get("TMPDIR") or "/var/tmp")) as place:
        root = place / "root"
        root.mkdir(0o755)
        known = os.listdir(_SCRIPTS) if _SCRIPTS.is_dir() else ()
        words = plan.command(wanted, mirror, str(root), known=known, keyring=values.text("keyring"))
        phases = Phases(sys.stderr, session.environ, quiet=values.switch("quiet"))
        phases.say(f"debootstrap: {wanted.distribution} {wanted.suite} for {wanted.architecture} from {mirror}")
        try:
            last = tree.make(plan.confined(words), plan.environment(session.environ, apt), phases.take)
        finally:
            phases.close()
        if last:
            said = (f"debootstrap could not make {wanted.suite}:", *(f"  {line}" for line in last), plan.advice(last, wanted))
            raise ExitError(1, "\n".join(filter(None, said)))
        tidy.tidy(root, sources, {} if values.text("mirror") else apt)
        call = images.import_(
            "-",
            Bytes("Importing", 0, sys.stderr, quiet=values.switch("quiet")).passing(tree.packed(root)),
            repository=repository,
            tag_=tag,
            message=f"debootstrap {wanted.suite} ({wanted.variant})",
            changes=("ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["bash"]'),
            platform=wanted.platform,
        )
        with Transfers(sys.stdout, session.environ) as transfers:
            for event in session.stream(call):
                transfers.show(event)


def _check_machine() -> None:
    missing = {package for program, package in _PROGRAMS.items() if not shutil.which(program)}
    if missing:
        raise ExitError(1, f"{', '.join(sorted(missing))} is not installed: apt-get install {' '.join(sorted(missing))}")
    if os.geteuid() != 0:
        raise ExitError(1, "argosy image bootstrap needs root, which debootstrap needs: run it with sudo")


def _own_architecture() -> str:
    try:
        return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        machine = os.uname().machine
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _apt_settings() -> Mapping[str, str]:
    from argosy.cli.bootstrap import archives

    if not shutil.which("apt-config"):
        return {}
    return archives.settings(subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout)


def _archives(wanted: Wanted, mirror: str, apt: Mapping[str, str]) -> tuple[str, str]:
    """Return the mirror and the text of the image's sources."""
    from argosy.cli.bootstrap import archives, plan, probe

    own = []
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if path.suffix in (".list", ".sources") and path.is_file():
            text = path.read_text(errors="replace")
            own += archives.deb822(text) if path.suffix == ".sources" else archives.one_line(text)
    security = "" if mirror else archives.own_security(own)
    mirror = (
        mirror.rstrip("/")
        or archives.own_mirror(own, wanted.distribution, wanted.suite)
        or archives.default_mirror(wanted.distribution, wanted.architecture)
    )
    environ = plan.environment(os.environ, apt)
    more = [source for source in archives.candidates(wanted.distribution, wanted.suite, mirror, security) if probe.has(source, environ)]
    sources = [archives.Source(mirror, (wanted.suite,)), *more]
    return mirror, archives.written(sources, "main universe" if wanted.distribution == "ubuntu" else "main", _KEYRINGS[wanted.distribution])


COMMAND = Command(
    run,
    "NAME[:TAG]",
    flags=(
        Flag("arch", "", STRING, "Architecture, as --platform without the system (amd64, arm64, ...)"),
        Flag("include", "", STRINGS, "Packages to install beside, with commas between"),
        Flag("keyring", "", STRING, "Keys that the release must be signed with (default is the distribution's)", complete="files"),
        Flag("mirror", "", STRING, "Archive to take the packages from (default is this machine's own, by its apt sources)"),
        Flag("platform", "", STRING, "Platform of the image, such as linux/arm64 (default is this machine's)"),
        Flag("quiet", "q", help="Print only the image's ID"),
        Flag("suite", "", STRING, "Code name of the release (default is told by the image's name: debian:bookworm, ubuntu:24.04)"),
        Flag("variant", "", STRING, "What to install: minbase, buildd (with compilers), full", default="minbase", shown='"minbase"'),
    ),
    arity=exactly(1),
    about="Make an image of a Debian or Ubuntu release with debootstrap.\n\n"
    "Packages come from this machine's own mirror, signed by the distribution's keys. The image's apt asks the same mirror.\n"
    "Needs root and the package debootstrap; nothing is left behind when it fails or is interrupted.",
    examples=(
        ("argosy image bootstrap debian:bookworm", "Debian 12, minimal"),
        ("argosy image bootstrap --include python3,ca-certificates team/python:1 --suite trixie", "under a name of your own"),
    ),
)
