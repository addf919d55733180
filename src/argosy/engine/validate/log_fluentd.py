"""``fluentd-*`` options (moby ``daemon/logger/fluentd: ValidateLogOpt``)."""

import re
from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_BOOLEANS = ("fluentd-async", "fluentd-request-ack", "fluentd-sub-second-precision")
_SCHEMES = ("tcp", "tls", "unix")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"[+-]?(?:0|(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+\Z")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def check_fluentd(options: Mapping[str, str]) -> None:
    """Raises InvalidParameterError."""
    _check_address(options.get("fluentd-address", ""))
    if options.get("fluentd-buffer-limit"):
        parse_size(options["fluentd-buffer-limit"])
    if options.get("fluentd-retry-wait"):
        _duration(options["fluentd-retry-wait"])
    retries = options.get("fluentd-max-retries", "")
    if retries and not (retries.isascii() and retries.isdecimal()):
        raise InvalidParameterError(f'strconv.ParseUint: parsing "{retries}": invalid syntax')
    for option in _BOOLEANS:
        text = options.get(option, "")
        if text and text not in _TRUE | _FALSE:
            raise InvalidParameterError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    _check_times(options)


def _check_times(options: Mapping[str, str]) -> None:
    if interval := options.get("fluentd-async-reconnect-interval", ""):
        seconds = _duration(interval, "invalid value for fluentd-async-reconnect-interval: ")
        if seconds and not 0.1 <= seconds <= 10:
            raise InvalidParameterError(
                f'invalid value for fluentd-async-reconnect-interval: value ("{interval}") must be between 100ms and 10s'
            )
    if timeout := options.get("fluentd-write-timeout", ""):
        words = "invalid value for fluentd-write-timeout: value must be a duration that is non-negative"
        if _duration(timeout, words) < 0:
            raise InvalidParameterError(words)


def _check_address(address: str) -> None:
    if not address:
        return
    text = address if "://" in address else f"tcp://{address}"
    scheme, _, place = text.partition("://")
    if scheme not in _SCHEMES:
        raise InvalidParameterError(f"invalid fluentd-address ({address}): unsupported scheme: '{scheme}'")
    if scheme == "unix":
        if not place.strip("/"):
            raise InvalidParameterError(f"invalid fluentd-address ({address}): path is empty")
        return
    if "/" in place.rstrip("/"):
        raise InvalidParameterError(f"invalid fluentd-address ({address}): should not contain a path element")
    port = place.rpartition("]")[2].rpartition(":")[2] if ":" in place.rpartition("]")[2] else ""
    if port and not (port.isascii() and port.isdecimal()):
        raise InvalidParameterError(
            f'invalid fluentd-address ({address}): invalid port: strconv.ParseUint: parsing "{port}": invalid syntax'
        )
    if port and int(port) > 65535:
        raise InvalidParameterError(
            f'invalid fluentd-address ({address}): invalid port: strconv.ParseUint: parsing "{port}": value out of range'
        )


def _duration(text: str, words: str = "") -> float:
    """Return the seconds of Go's ``1m30s``."""
    if not _DURATION.match(text):
        raise InvalidParameterError(f'{words}time: invalid duration "{text}"' if not words.endswith("negative") else words)
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total
