"""``key=value`` options and files of them: environments, labels, annotations, sysctls, storage options."""

from __future__ import annotations

from argosy.cli.opts.error import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SYSCTLS = frozenset(
    (
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    )
)
_SYSCTL_PREFIXES = ("net.", "fs.mqueue.")


def environment_variable(text: str) -> str:
    if not text or text.startswith("="):
        raise ValueError(f"invalid environment variable: {text}")
    return text


def label(text: str) -> str:
    if not text.partition("=")[0].strip():
        raise ValueError(f"invalid label '{text}': empty name")
    return text


def sysctl(text: str) -> str:
    """Only those that belong to a namespace may be set (docker's opts.ValidateSysctl)."""
    name, equals, _ = text.partition("=")
    if equals and (name in _SYSCTLS or name.startswith(_SYSCTL_PREFIXES)):
        return text
    raise ValueError(f"sysctl '{text}' is not allowed")


def mapping(texts: Iterable[str]) -> dict[str, str]:
    """Return the pairs; one without ``=`` has an empty value, of several the last counts."""
    return {key: value for key, _, value in (text.partition("=") for text in texts)}


def environment(texts: Iterable[str], files: Iterable[str], ours: Mapping[str, str]) -> list[str]:
    """Return the environment: files first, then options. A bare name takes our own value.

    A bare option that we do not have is passed on bare (it removes the image's), a bare line in a file is dropped. Raises OptionError.
    """
    out: list[str] = []
    for path in files:
        out += [
            line if "=" in line else f"{line}={ours[line]}"
            for line in read_file(path, "environment variable")
            if "=" in line or line in ours
        ]
    return out + [text if "=" in text or text not in ours else f"{text}={ours[text]}" for text in texts]


def labels(texts: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return labels: files first, then options. Raises OptionError."""
    return mapping([*(line for path in files for line in read_file(path, "label")), *texts])


def read_file(path: str, what: str) -> list[str]:
    """Return the lines that count; comments and empty ones do not. Raises OptionError."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise OptionError(f"open {path}: {(error.strerror or '').lower()}") from None
    out = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            line = raw.decode().removesuffix("\r").lstrip()
        except UnicodeDecodeError:
            raise OptionError(f"invalid {what} file ({path}): invalid utf8 bytes at line {number}: {raw!r}") from None
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not key.strip():
            raise OptionError(f"invalid {what} file ({path}): no variable name on line '{line}'")
        if any(char.isspace() for char in key):
            raise OptionError(f"invalid {what} file ({path}): variable '{key}' contains whitespaces")
        out.append(f"{key}={value}" if equals else key)
    return out


def proxies(config: Mapping[str, object], host: str, given: Iterable[str]) -> list[str]:
    """Return the proxy variables of config.json that the user has not set, in both spellings, as docker."""
    sections = config.get("proxies")
    section = (sections.get(host) or sections.get("default")) if isinstance(sections, dict) else None
    if not isinstance(section, dict):
        return []
    said = {text.partition("=")[0] for text in given}
    names = {
        "httpProxy": "HTTP_PROXY",
        "httpsProxy": "HTTPS_PROXY",
        "noProxy": "NO_PROXY",
        "ftpProxy": "FTP_PROXY",
        "allProxy": "ALL_PROXY",
    }
    return [
        f"{name}={section[key]}" for key, upper in names.items() if section.get(key) for name in (upper, upper.lower()) if name not in said
    ]
