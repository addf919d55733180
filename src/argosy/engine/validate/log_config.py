"""Log drivers and their options (moby ``daemon/logger/*: ValidateLogOpt``)."""

from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size
from argosy.engine.model import LogConfig

_ATTRIBUTES = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})
_DELIVERY = frozenset({"mode", "max-buffer-size"})
_FILES = frozenset({"max-size", "max-file", "compress"})
_SYSLOG = frozenset(
    {
        *("syslog-address", "syslog-facility", "syslog-format"),
        *("syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify"),
    }
)
OPTIONS: Mapping[str, frozenset[str]] = {
    "json-file": _FILES | _ATTRIBUTES,
    "local": _FILES | _ATTRIBUTES,
    "syslog": _SYSLOG | _ATTRIBUTES,
    "journald": _ATTRIBUTES,
}
"""Driver → its options. ``none`` takes any and uses none."""
_FACILITIES = frozenset(
    {
        *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
        *(f"local{number}" for number in range(8)),
    }
)
_FORMATS = ("", "rfc3164", "rfc5424", "rfc5424micro")
_SCHEMES = ("udp", "tcp", "tcp+tls", "unix", "unixgram")


def check_log_config(log: LogConfig, default: str = "json-file") -> None:
    """Raises InvalidParameterError in the driver's own words. Values are looked at when the log is opened, as in Docker, but for
    ``mode`` and syslog's."""
    driver = log.type or default
    if driver == "none":
        return
    known = OPTIONS.get(driver)
    if known is None:
        raise InvalidParameterError(f'error looking up logging plugin {driver}: plugin "{driver}" not found')
    _check_delivery(log.config)
    for option in sorted(log.config):
        if option not in known and option not in _DELIVERY:
            place = "log driver local" if driver == "local" else f"{driver} log driver"
            raise InvalidParameterError(f"unknown log opt '{option}' for {place}")
    if driver == "syslog":
        _check_syslog(log.config)


def _check_delivery(options: Mapping[str, str]) -> None:
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidParameterError(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" not in options:
        return
    if mode != "non-blocking":
        raise InvalidParameterError("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
    try:
        parse_size(options["max-buffer-size"])
    except InvalidParameterError as error:
        raise InvalidParameterError(f"error parsing option max-buffer-size: {error}") from error


def _check_syslog(options: Mapping[str, str]) -> None:
    address = options.get("syslog-address", "")
    scheme, separator, _ = address.partition("://")
    if address and (not separator or scheme not in _SCHEMES):
        raise InvalidParameterError(f"unsupported scheme: '{scheme if separator else ''}'")
    facility = options.get("syslog-facility", "")
    if facility and facility not in _FACILITIES and not (facility.isdecimal() and int(facility) <= 23):
        raise InvalidParameterError("invalid syslog facility")
    if options.get("syslog-format", "") not in _FORMATS:
        raise InvalidParameterError("Invalid syslog format")
