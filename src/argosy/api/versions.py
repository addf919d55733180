"""API versions: which are served, and the comparisons by which answers are shaped.

What changed when: https://docs.docker.com/reference/api/engine/version-history/. A version is an integer (1.41 → 41), because
every served version begins with 1.
"""

import re

from argosy.base.errors import InvalidParameterError

MINIMUM = 24
NEWEST = 55
MINIMUM_TEXT = f"1.{MINIMUM}"
NEWEST_TEXT = f"1.{NEWEST}"

_OLDEST_PREFIX = 12
_PREFIX = re.compile(r"/v([0-9]+)(?:\.([0-9]+))?[0-9.]*(?=/|\Z)")

_DOCKER_PY = re.compile(r"docker-sdk-python/([0-9]+)\.([0-9]+)")
_DOCKER_PY_VERSION = 51

SHAPE_BOUNDARIES = (30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53)
"""The versions at which some answer changes; versions between two of them share their encodings."""

_SHAPES = [max((b for b in SHAPE_BOUNDARIES if b <= v), default=MINIMUM) for v in range(NEWEST + 1)]


def split(path: str) -> tuple[int, str]:
    """Return (version, path without the prefix); no prefix means the newest.

    ``/v1.12`` to ``/v1.23`` are answered as 1.24: skopeo 1.9 speaks 1.22. Raises InvalidParameterError for others.
    """
    if not path.startswith("/v"):
        return NEWEST, path
    match = _PREFIX.match(path)
    if match is None:
        return NEWEST, path
    major, minor = int(match[1]), int(match[2] or 0)
    rest = path[match.end() :]
    if major == 1 and MINIMUM <= minor <= NEWEST:
        return minor, rest
    shown = match[1] if match[2] is None else f"{major}.{minor}"
    if (major, minor) > (1, NEWEST):
        raise InvalidParameterError(f"client version {shown} is too new. Maximum supported API version is {NEWEST_TEXT}")
    if major == 1 and minor >= _OLDEST_PREFIX:
        return MINIMUM, rest
    raise InvalidParameterError(
        f"client version {shown} is too old. Minimum supported API version is {MINIMUM_TEXT}, please upgrade your client to a newer version"
    )


def meant(version: int, user_agent: str) -> int:
    """Return the version that a client means by the one it asked for.

    docker-py takes the newest that the daemon has when its user names none, while its releases up to 7.1 are older than 1.52
    and miss what is gone since: ``LayersSize`` of df, addresses at the top of ``NetworkSettings``, ``MacAddress`` of create.
    """
    if version == NEWEST and (release := _DOCKER_PY.match(user_agent)) and (int(release[1]), int(release[2])) <= (7, 1):
        return _DOCKER_PY_VERSION
    return version


def shape(version: int) -> int:
    """Return the key under which encoded answers of this version are shared."""
    return _SHAPES[version]
