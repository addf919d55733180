"""``WWW-Authenticate``: what a registry wants to see before it answers (RFC 9110 11.6.1). Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_PARAMETER = re.compile(r'([a-zA-Z_]+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str
    """``basic`` or ``bearer``."""
    parameters: dict[str, str] = field(default_factory=dict)


def parse(header: str) -> Challenge | None:
    """Return the challenge, None for one that we cannot meet."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() not in ("basic", "bearer"):
        return None
    return Challenge(scheme.lower(), {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(rest)})


def token_url(challenge: Challenge, name: str, user: str) -> str | None:
    """Return where to get a token to pull from a repository; None when the challenge does not say."""
    realm = urlsplit(challenge.parameters.get("realm", ""))
    if realm.scheme not in ("http", "https"):
        return None
    query = dict(parse_qsl(realm.query))
    if service := challenge.parameters.get("service"):
        query["service"] = service
    query["scope"] = f"repository:{name}:pull"
    if user:
        query["account"] = user
    return urlunsplit(realm._replace(query=urlencode(query)))
