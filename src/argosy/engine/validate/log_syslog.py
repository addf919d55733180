"""``syslog-*`` options (moby ``daemon/logger/syslog``)."""

import os
from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError

_FACILITIES = frozenset(
    {
        *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
        *(f"local{number}" for number in range(8)),
    }
)
_FORMATS = ("", "rfc3164", "rfc5424", "rfc5424micro")
_SCHEMES = ("udp", "tcp", "tcp+tls", "unix", "unixgram")


def check_syslog(options: Mapping[str, str]) -> None:
    """Raises InvalidParameterError."""
    address = options.get("syslog-address", "")
    scheme, separator, place = address.partition("://")
    if address and (not separator or scheme not in _SCHEMES):
        raise InvalidParameterError(f"unsupported scheme: '{scheme if separator else ''}'")
    if scheme in ("unix", "unixgram") and not os.path.exists(place):
        raise InvalidParameterError(f"stat {place}: no such file or directory")
    facility = options.get("syslog-facility", "")
    if facility and facility not in _FACILITIES and not (facility.isdecimal() and int(facility) <= 23):
        raise InvalidParameterError("invalid syslog facility")
    if options.get("syslog-format", "") not in _FORMATS:
        raise InvalidParameterError("Invalid syslog format")
