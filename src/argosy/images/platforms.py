"""Platforms of images and which of an index fits best, as containerd's ``platforms`` package has it. Pure."""

import platform as machine
import re
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError
from argosy.oci.descriptor import Descriptor
from argosy.oci.descriptor import Platform as WirePlatform

_PART = re.compile(r"[A-Za-z0-9_.-]+(?:\([A-Za-z0-9_.-]*\))?\Z")
_ARCHITECTURES = {
    "aarch64": ("arm64", ""),
    "arm64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
}
_SYSTEMS = ("linux", "windows", "darwin", "freebsd")
# Of containerd's platforms.isKnownArch, without those that nobody makes images for.
_KNOWN = frozenset(
    ("386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le")
    + ("ppc64", "ppc64le", "riscv64", "s390x", "sparc64", "wasm")
)


@dataclass(frozen=True, slots=True)
class Platform:
    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def host() -> Platform:
    """Return this machine's platform."""
    architecture, variant = _ARCHITECTURES.get(machine.machine(), (machine.machine(), ""))
    return Platform("linux", architecture, variant)


def parse(text: str) -> Platform:
    """Return the platform of ``os[/arch[/variant]]`` or ``arch``. Raises InvalidParameterError in containerd's words."""
    parts = text.split("/")
    quoted = '"' + text.replace('"', '\\"') + '"'
    if any(_PART.match(part) is None for part in parts):
        raise InvalidParameterError(f"{quoted} is an invalid platform component: must match platform specifier regexp: invalid argument")
    if len(parts) > 3:
        raise InvalidParameterError(f"{quoted}: cannot parse platform specifier: invalid argument")
    own = host()
    if len(parts) == 1:
        word = parts[0].lower()
        if word in _SYSTEMS:
            return normalise(Platform(word, own.architecture, own.variant))
        architecture, variant = _ARCHITECTURES.get(word, (word, ""))
        if architecture not in _KNOWN:
            raise InvalidParameterError(f"{quoted}: unknown operating system or architecture: invalid argument")
        return normalise(Platform(own.os, architecture, variant))
    return normalise(Platform(parts[0].lower(), parts[1].lower(), parts[2].lower() if len(parts) == 3 else ""))


def normalise(platform: Platform) -> Platform:
    """Return one spelling for each platform: ``arm64`` is ``arm64/v8``, ``arm`` is ``arm/v7``, ``amd64/v1`` is ``amd64``."""
    architecture, implied = _ARCHITECTURES.get(platform.architecture, (platform.architecture, ""))
    variant = platform.variant or implied
    if architecture in ("arm64", "amd64") and variant in ("8", "v8", "v1"):
        variant = ""
    elif architecture == "arm":
        variant = "v7" if variant in ("", "7") else f"v{variant}" if variant in ("5", "6", "8") else variant
    return Platform(platform.os, architecture, variant)


def acceptable(wanted: Platform) -> tuple[Platform, ...]:
    """Return what runs on a platform, best first (containerd ``platforms.Only``): older variants, and 32 bits on 64."""
    wanted = normalise(wanted)
    found = [wanted]
    if wanted.architecture == "amd64" and (level := _level(wanted.variant)) > 1:
        found += [Platform(wanted.os, "amd64", f"v{lower}" if lower > 1 else "") for lower in range(level - 1, 0, -1)]
    if wanted.architecture == "amd64":
        found.append(Platform(wanted.os, "386"))
    if wanted.architecture == "arm":
        found += [Platform(wanted.os, "arm", f"v{lower}") for lower in range(_level(wanted.variant) - 1, 4, -1)]
    if wanted.architecture == "arm64":
        if wanted.variant:
            found.append(Platform(wanted.os, "arm64"))
        found += [Platform(wanted.os, "arm", f"v{lower}") for lower in range(8, 4, -1)]
    return tuple(found)


def _level(variant: str) -> int:
    return int(variant[1:]) if variant[:1] == "v" and variant[1:].isdigit() else 0


def _of(wire: WirePlatform) -> Platform:
    return normalise(Platform(wire.os, wire.architecture, wire.variant))


def choose(entries: Sequence[Descriptor], wanted: Platform) -> Descriptor | None:
    """Return the entry of an index that fits a platform best; an entry without a platform fits any, last."""
    images = [entry for entry in entries if not is_attestation(entry)]
    for platform in acceptable(wanted):
        for entry in images:
            if entry.platform is not None and _of(entry.platform) == platform:
                return entry
    return next((entry for entry in images if entry.platform is None), None)


def fits(own: Platform, wanted: Platform) -> bool:
    """Return whether an image of platform ``own`` is what was wanted."""
    return normalise(own) in acceptable(wanted)


def same(own: Platform, wanted: Platform) -> bool:
    """Return whether an image is of exactly that platform (containerd ``OnlyStrict``); one that tells no variant may have any."""
    found, asked = normalise(own), normalise(wanted)
    return found == asked or (not own.variant and (found.os, found.architecture) == (asked.os, asked.architecture))


def rank(own: Platform, wanted: Platform) -> int:
    """Return how well an image fits a platform: 0 is best, above all that fit is what does not."""
    order = acceptable(wanted)
    found = normalise(own)
    return order.index(found) if found in order else len(order)


def is_attestation(entry: Descriptor) -> bool:
    """Return whether it tells about another entry (buildkit's docs/attestations) instead of being an image."""
    return "vnd.docker.reference.type" in (entry.annotations or {}) or (entry.platform is not None and entry.platform.os == "unknown")
