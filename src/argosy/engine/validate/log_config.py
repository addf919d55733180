"""Log drivers and which options each takes (moby ``daemon/logger/*: ValidateLogOpt``)."""

from collections.abc import Callable, Mapping

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size
from argosy.engine.model import LogConfig
from argosy.engine.validate.log_fluentd import check_fluentd
from argosy.engine.validate.log_gelf import check_gelf
from argosy.engine.validate.log_syslog import check_syslog

Options = Mapping[str, str]

_ATTRIBUTES = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})
_DELIVERY = frozenset({"mode", "max-buffer-size"})
_CACHE = frozenset({"cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"})
_FILES = frozenset({"max-size", "max-file", "compress"})
_SYSLOG = frozenset(
    {
        *("syslog-address", "syslog-facility", "syslog-format"),
        *("syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify"),
    }
)
_GELF = frozenset(
    {
        *("gelf-address", "gelf-compression-level", "gelf-compression-type"),
        *("gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"),
    }
)
_FLUENTD = frozenset(
    {
        *("fluentd-address", "fluentd-async", "fluentd-async-reconnect-interval", "fluentd-buffer-limit"),
        *("fluentd-max-retries", "fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision", "fluentd-write-timeout"),
    }
)
OPTIONS: Mapping[str, frozenset[str]] = {
    "json-file": _FILES | _ATTRIBUTES,
    "local": _FILES | {"tag"},
    "syslog": _SYSLOG | _ATTRIBUTES,
    "journald": _ATTRIBUTES,
    "gelf": _GELF | _ATTRIBUTES,
    "fluentd": _FLUENTD | _ATTRIBUTES,
}
"""Driver → its options. ``none`` takes any and uses none."""
CHECKS: Mapping[str, Callable[[Options], None]] = {"syslog": check_syslog, "gelf": check_gelf, "fluentd": check_fluentd}
_ELSEWHERE = ("awslogs", "etwlogs", "gcplogs", "splunk")
_BOOLEANS = frozenset({"", "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"})


def check_log_config(log: LogConfig, default: str = "json-file") -> None:
    """Raises InvalidParameterError in the driver's own words. Values of files' options are looked at when the log is opened, as in
    Docker."""
    driver = log.type or default
    if driver == "none":
        return
    known = OPTIONS.get(driver)
    if known is None:
        hint = f"; Argosy has {', '.join(sorted(OPTIONS))} and none" if driver in _ELSEWHERE else ""
        raise InvalidParameterError(f'error looking up logging plugin {driver}: plugin "{driver}" not found{hint}')
    _check_delivery(log.config)
    if driver == "gelf" and not log.config.get("gelf-address"):
        raise InvalidParameterError("gelf-address is a required parameter")
    for option in sorted(log.config):
        _check_known(driver, option, known)
    if log.config.get("cache-disabled", "") not in _BOOLEANS:
        raise InvalidParameterError(f"invalid value for option cache-disabled: {log.config['cache-disabled']}")
    if driver in CHECKS:
        CHECKS[driver](log.config)


def _check_known(driver: str, option: str, known: frozenset[str]) -> None:
    if option in known or option in _DELIVERY or option in _CACHE:
        return
    if option.startswith("cache-"):
        raise InvalidParameterError(f'unknown log opt "{option}" for {driver} log driver')
    place = "log driver local" if driver == "local" else f"{driver} log driver"
    raise InvalidParameterError(f"unknown log opt '{option}' for {place}")


def _check_delivery(options: Options) -> None:
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
