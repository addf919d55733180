"""What to make, decided from the image's name, the flags and the machine. Nothing here looks or acts."""

from __future__ import annotations

from dataclasses import dataclass

from argosy.cli.errors import ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

# The tags under which people know releases, beside their code names.
_RELEASES = {
    "debian": {"11": "bullseye", "12": "bookworm", "13": "trixie", "14": "forky", "latest": "stable", "": "stable"},
    "ubuntu": {"20.04": "focal", "22.04": "jammy", "24.04": "noble", "25.04": "plucky", "25.10": "questing", "26.04": "resolute"},
}
# One of each distribution that its later ones are links to: debootstrap of before a release makes it with that.
_SCRIPTS = {"debian": "sid", "ubuntu": "gutsy"}
# GOARCH, with its variant where that matters → dpkg's name.
_ARCHITECTURES = {
    "amd64": "amd64",
    "386": "i386",
    "arm64": "arm64",
    "arm": "armhf",
    "arm/v5": "armel",
    "arm/v6": "armel",
    "arm/v7": "armhf",
    "ppc64le": "ppc64el",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "mips64le": "mips64el",
    "loong64": "loong64",
}
# What a processor runs beside its own.
_RUNS = {"amd64": ("i386",), "arm64": ("armhf", "armel"), "armhf": ("armel",)}
# dpkg's name → the name that qemu registers its interpreter under, where it is another.
_EMULATED = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "arm", "armel": "arm", "ppc64el": "ppc64le", "mips64el": "mips64el"}
VARIANTS = ("minbase", "buildd", "full")


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    distribution: str
    suite: str
    architecture: str
    """dpkg's name."""
    platform: str
    """As the API has it; ``""`` is the daemon's own."""
    variant: str
    include: tuple[str, ...]


def wanted(
    repository: str,
    tag: str,
    *,
    suite: str,
    platform: str,
    arch: str,
    variant: str,
    include: Sequence[str],
    own: str,
    binfmt: Container[str],
) -> Wanted:
    """Return what an image's name and the flags ask for.

    ``own`` is the machine's architecture (dpkg's name), ``binfmt`` the names of the interpreters that its kernel knows. Raises ExitError.
    """
    last = repository.rpartition("/")[2]
    named = last if last in _RELEASES else ""
    code = suite or _RELEASES.get(named, {}).get(tag, tag if named else "")
    if not code or (code == "latest" and not suite):
        raise ExitError(1, f"{repository}:{tag} does not say which release: name one with --suite (bookworm, trixie, noble, ...)")
    if not all(char.isalnum() or char in "-._+" for char in code) or code[0] in "-.":
        raise ExitError(1, f"invalid --suite {code}: a code name is wanted, such as bookworm")
    ubuntu = named == "ubuntu" or (not named and code in _RELEASES["ubuntu"].values())
    if variant not in VARIANTS:
        raise ExitError(1, f"invalid --variant {variant}: use {', '.join(VARIANTS)}")
    for package in include:
        if not package or not all(char.isalnum() or char in "-._+:" for char in package) or package[0] == "-":
            raise ExitError(1, f"invalid --include {package}: names of packages are wanted, with commas between")
    architecture = _architecture(platform, arch) or own
    if architecture != own and architecture not in _RUNS.get(own, ()) and f"qemu-{_EMULATED.get(architecture, architecture)}" not in binfmt:
        raise ExitError(
            1,
            f"this machine ({own}) does not run programs of {architecture}, which debootstrap has to: "
            "apt-get install qemu-user-static, then run this again",
        )
    full = "" if architecture == own else platform or f"linux/{_oci(architecture)}"
    return Wanted("ubuntu" if ubuntu else "debian", code, architecture, full, variant, tuple(include))


def _architecture(platform: str, arch: str) -> str:
    if platform and arch:
        raise ExitError(1, "conflicting options: --platform and --arch")
    if arch:
        # Either name is understood: people have both in their fingers.
        return _ARCHITECTURES.get(arch, arch)
    if not platform:
        return ""
    system, _, rest = platform.partition("/")
    name = rest.removesuffix("/v8") if rest.startswith("arm64") else rest
    if system != "linux" or name not in _ARCHITECTURES:
        raise ExitError(1, f"invalid --platform {platform}: Debian and Ubuntu have linux/{', linux/'.join(_ARCHITECTURES)}")
    return _ARCHITECTURES[name]


def _oci(architecture: str) -> str:
    return next((name for name, own in _ARCHITECTURES.items() if own == architecture and "/" not in name), architecture)


def command(wanted: Wanted, mirror: str, target: str, *, known: Container[str], keyring: str = "") -> list[str]:
    """Return debootstrap's command line. ``known`` are the suites that this debootstrap has a script for.

    A release whose signature cannot be checked is refused: without ``--force-check-gpg`` debootstrap goes on unchecked.
    """
    words = ["debootstrap", "--force-check-gpg", f"--arch={wanted.architecture}"]
    if wanted.variant != "full":
        words.append(f"--variant={wanted.variant}")
    # apt of the image has to trust who runs the mirror.
    include = (*wanted.include, *(("ca-certificates",) if mirror.startswith("https:") else ()))
    if include:
        words.append(f"--include={','.join(dict.fromkeys(include))}")
    if keyring:
        words.append(f"--keyring={keyring}")
    script = [] if wanted.suite in known or not known else [f"/usr/share/debootstrap/scripts/{_SCRIPTS[wanted.distribution]}"]
    return [*words, wanted.suite, target, mirror, *script]


def confined(words: Sequence[str]) -> list[str]:
    """Return a command that ends with us and leaves no mount and no process, however it ends.

    debootstrap mounts /proc and /sys inside its target: they go with a mount namespace of its own, what it started goes with a
    pid namespace, and that goes with us (unshare(1), prctl(2) PR_SET_PDEATHSIG).
    """
    return [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"),
        *words,
    ]


def environment(own: Mapping[str, str], apt: Mapping[str, str]) -> dict[str, str]:
    """Return debootstrap's environment: ours in the C locale, and apt's proxy where none is set."""
    found = {**own, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    for scheme in ("http", "https"):
        proxy = apt.get(f"acquire::{scheme}::proxy", "")
        if proxy and proxy != "DIRECT" and not found.get(f"{scheme}_proxy"):
            found[f"{scheme}_proxy"] = proxy
    return found


def advice(lines: Sequence[str], wanted: Wanted) -> str:
    """Return what helps where debootstrap's last words say what is wrong."""
    text = "\n".join(lines)
    if "keyring file not available" in text or "unknown key" in text or "without keyring" in text.lower():
        package = "ubuntu-keyring" if wanted.distribution == "ubuntu" else "debian-archive-keyring"
        return f"The release cannot be checked: apt-get install {package}, or name a keyring with --keyring."
    if "Failed getting release file" in text or "Invalid Release file" in text:
        return f"Is there a release {wanted.suite}, and does this machine reach the mirror? --suite and --mirror name others."
    if "noexec" in text or "nodev" in text:
        return "Set TMPDIR to a folder of a file system that is mounted without noexec and nodev."
    return ""
