"""Names of images: the grammar and the short forms of github.com/distribution/reference.

``nginx`` means ``docker.io/library/nginx:latest``; users see the *familiar* form, without what is understood.
"""

import re
from dataclasses import dataclass, replace

from argosy.base.errors import InvalidParameterError
from argosy.oci import digest as digests

DEFAULT_DOMAIN = "docker.io"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
DEFAULT_TAG = "latest"
_LONGEST_NAME = 255

_DOMAIN_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_COMPONENT}(?:\.{_DOMAIN_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_PATH_COMPONENT}(?:/{_PATH_COMPONENT})*"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

_REFERENCE = re.compile(rf"((?:{_DOMAIN}/)?{_PATH})(?::({_TAG}))?(?:@({_DIGEST}))?\Z", re.ASCII)
_ANCHORED_NAME = re.compile(rf"(?:({_DOMAIN})/)?({_PATH})\Z", re.ASCII)
_ANCHORED_TAG = re.compile(rf"{_TAG}\Z", re.ASCII)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}\Z")


@dataclass(frozen=True, slots=True)
class Reference:
    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Domain and path: ``docker.io/library/nginx``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """What users see: ``nginx``."""
        if self.domain == DEFAULT_DOMAIN:
            path = self.path
            return path.removeprefix(_OFFICIAL) if path.count("/") == 1 else path
        return self.name

    @property
    def familiar(self) -> str:
        return self.familiar_name + self._suffix()

    def __str__(self) -> str:
        return self.name + self._suffix()

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def tagged(self) -> "Reference":
        """Return the reference with ``latest`` where it had neither tag nor digest (TagNameOnly)."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def with_tag(self, tag: str) -> "Reference":
        """Raises InvalidParameterError ``invalid tag format``."""
        if _ANCHORED_TAG.match(tag) is None:
            raise InvalidParameterError("invalid tag format")
        return replace(self, tag=tag)

    def with_digest(self, digest: str) -> "Reference":
        return replace(self, digest=digest)


def parse(text: str) -> Reference:
    """Return the normalised reference of what a user wrote. Raises InvalidParameterError with Docker's words."""
    if _IDENTIFIER.match(text):
        raise InvalidParameterError(
            f"invalid reference format: invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    domain, rest = _split_domain(text)
    name = rest.split("@", 1)[0]
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    remote = name if colon < 0 else name[:colon]
    if remote.lower() != remote:
        raise InvalidParameterError(f"invalid reference format: repository name ({remote}) must be lowercase")
    match = _REFERENCE.match(f"{domain}/{rest}")
    if match is None:
        raise InvalidParameterError("invalid reference format")
    anchored = _ANCHORED_NAME.match(match[1])
    if anchored is None or anchored[1] is None:
        raise InvalidParameterError("invalid reference format")
    if len(anchored[2]) > _LONGEST_NAME:
        raise InvalidParameterError(f"invalid reference format: repository name must not be more than {_LONGEST_NAME} characters")
    if match[3]:
        digests.split(match[3])
    return Reference(anchored[1], anchored[2], match[2] or "", match[3] or "")


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if not slash:
        return DEFAULT_DOMAIN, _OFFICIAL + text
    if first == "localhost" or any(mark in first for mark in ".:") or first.lower() != first:
        domain, remote = (DEFAULT_DOMAIN if first == _LEGACY_DOMAIN else first), rest
    else:
        domain, remote = DEFAULT_DOMAIN, text
    if domain == DEFAULT_DOMAIN and "/" not in remote:
        remote = _OFFICIAL + remote
    return domain, remote


def repository_and_tag(repo: str, tag: str) -> Reference:
    """Return ``repo:tag`` as commit, tag and import take it: two parameters, the first without a digest."""
    reference = parse(repo)
    if reference.digest:
        raise InvalidParameterError("cannot import digest reference")
    return reference.with_tag(tag) if tag else reference.tagged()
