"""Where this machine's apt gets its packages from (sources.list(5)), as far as it tells a mirror of Debian's or Ubuntu's own archive."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULTS = {"debian": "http://deb.debian.org/debian", "ubuntu": "http://archive.ubuntu.com/ubuntu"}
# Ubuntu keeps what is not amd64 or i386 on machines of its own.
PORTS = "http://ports.ubuntu.com/ubuntu-ports"
_PATHS = {"debian": ("debian",), "ubuntu": ("ubuntu", "ubuntu-ports")}
_FETCHED = ("http://", "https://", "file:", "ftp://")


@dataclass(frozen=True)
class Source:
    """One archive with its suites."""

    uri: str
    suites: tuple[str, ...]


def one_line(text: str) -> list[Source]:
    """Return the sources of a ``*.list`` file."""
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        if len(words) > 1 and words[1].startswith("["):
            end = next((place for place, word in enumerate(words) if word.endswith("]")), len(words) - 1)
            words = [words[0], *words[end + 1 :]]
        if len(words) > 2:
            found.append(Source(words[1].rstrip("/"), (words[2],)))
    return found


def deb822(text: str) -> list[Source]:
    """Return the enabled sources of a ``*.sources`` file."""
    found = []
    for stanza in _stanzas(text):
        if stanza.get("enabled", "yes").lower() in ("no", "false", "0", "off") or "deb" not in stanza.get("types", "").split():
            continue
        suites = tuple(stanza.get("suites", "").split())
        found += [Source(uri.rstrip("/"), suites) for uri in stanza.get("uris", "").split()]
    return found


def _stanzas(text: str) -> list[dict[str, str]]:
    stanzas: list[dict[str, str]] = [{}]
    name = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.strip():
            stanzas.append({})
        elif line[0] in " \t":
            stanzas[-1][name] = f"{stanzas[-1].get(name, '')} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            stanzas[-1][name] = value.strip()
    return [stanza for stanza in stanzas if stanza]


def own_mirror(sources: Iterable[Source], distribution: str, suite: str) -> str:
    """Return this machine's mirror of a distribution, one that has the suite before others; ``""`` when it has none."""
    mirrors = [source for source in sources if _last(source.uri) in _PATHS.get(distribution, ()) and source.uri.startswith(_FETCHED)]
    mirrors.sort(key=lambda source: suite not in source.suites)
    return mirrors[0].uri if mirrors else ""


def own_security(sources: Iterable[Source]) -> str:
    """Return where this machine gets Debian's security updates from, ``""`` when it does not say."""
    return next((source.uri for source in sources if _last(source.uri) == "debian-security" and source.uri.startswith(_FETCHED)), "")


def default_mirror(distribution: str, architecture: str) -> str:
    """Return the archive that everybody reaches."""
    if distribution == "ubuntu" and architecture not in ("amd64", "i386"):
        return PORTS
    return DEFAULTS[distribution]


def candidates(distribution: str, suite: str, mirror: str, security: str) -> list[Source]:
    """Return what an image should ask for updates, beside the suite itself, where it is there to be asked."""
    if distribution == "ubuntu":
        return [Source(mirror, (f"{suite}-{pocket}",)) for pocket in ("updates", "security")]
    if not security and _last(mirror) == "debian":
        security = f"{mirror}-security"
    found = [Source(mirror, (f"{suite}-updates",))]
    return [*found, Source(security, (f"{suite}-security",))] if security else found


def written(sources: Iterable[Source], components: str, keyring: str) -> str:
    """Return the sources as the text of a ``*.sources`` file, suites of one archive together."""
    together: dict[str, list[str]] = {}
    for source in sources:
        together.setdefault(source.uri, []).extend(source.suites)
    signed = f"Signed-By: {keyring}\n" if keyring else ""
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {' '.join(suites)}\nComponents: {components}\n{signed}" for uri, suites in together.items()
    )


def settings(dump: str) -> Mapping[str, str]:
    """Return what ``apt-config dump`` says, names in lower case: they are not told apart by case."""
    found = {}
    for line in dump.splitlines():
        name, _, value = line.partition(" ")
        if value.endswith('";'):
            found[name.lower()] = value[1:-2]
    return found


def _last(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]
