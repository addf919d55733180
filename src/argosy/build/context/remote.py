"""What a client's ``remote=`` means: git, or something to download. moby ``builder/remotecontext`` and buildkit ``util/gitutil``."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from argosy.base.errors import InvalidParameterError

_SCP = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!/)[^#?]+")
_SCHEMES = ("http", "https", "ssh", "git")


@dataclass(frozen=True, slots=True)
class Git:
    """``ref`` empty means the remote's default branch; ``directory`` is a path within the repository."""

    url: str
    ref: str = ""
    directory: str = ""
    submodules: bool = True
    checksum: str = ""
    keep_git_dir: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    url: str


def parse(text: str) -> Git | Download:
    """Return where to fetch from. Raises InvalidParameterError for anything that is neither."""
    if _SCP.match(text):
        url, _, fragment = text.partition("#")
        return _git(url, fragment, "")
    if text.startswith("github.com/"):
        text = "https://" + text
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  a port that is no number raises
    except ValueError as error:
        raise InvalidParameterError(f"invalid remote context {text!r}: {error}") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise InvalidParameterError(f"remote context {text!r} is neither an http(s) URL nor a git repository")
    if parts.scheme in ("git", "ssh") or _is_repository(parts.netloc, parts.path):
        return _git(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), parts.fragment, parts.query)
    return Download(text)


def _is_repository(host: str, path: str) -> bool:
    return path.endswith(".git") or (host == "github.com" and re.fullmatch(r"/[^/]+/[^/]+/?", path) is not None)


def _git(url: str, fragment: str, query: str) -> Git:
    """``#ref:directory``, or ``?ref=&subdir=`` and its relatives."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    ref, _, directory = fragment.partition(":")
    unknown = asked.keys() - {"ref", "branch", "tag", "subdir", "submodules", "checksum", "commit", "keep-git-dir"}
    if unknown:
        raise InvalidParameterError(f"unexpected query {sorted(unknown)[0]!r} in the git URL {url}")
    names = [prefix + asked[key] for key, prefix in (("ref", ""), ("branch", "refs/heads/"), ("tag", "refs/tags/")) if asked.get(key)]
    if len(names) + bool(ref) > 1:
        raise InvalidParameterError(f"the git URL {url} names more than one ref")
    found = Git(
        url,
        ref=ref or "".join(names),
        directory=directory or asked.get("subdir", ""),
        submodules=asked.get("submodules", "true").lower() not in ("0", "false"),
        checksum=asked.get("checksum") or asked.get("commit", ""),
        keep_git_dir=asked.get("keep-git-dir", "false").lower() in ("1", "true", ""),
    )
    # A ref that begins with a dash would be an option to git (CVE-2019-13139); so would a host (CVE-2017-1000117).
    if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./@{}^~+-]*|", found.ref) is None:
        raise InvalidParameterError(f"invalid git ref {found.ref!r}")
    if re.search(r"(?:\A|@|//)-", url):
        raise InvalidParameterError(f"invalid git URL {url!r}")
    if ".." in found.directory.split("/"):
        raise InvalidParameterError(f"the directory {found.directory!r} leads out of the repository")
    if found.checksum and re.fullmatch(r"[0-9a-f]{7,64}", found.checksum) is None:
        raise InvalidParameterError(f"invalid git checksum {found.checksum!r}")
    return found
