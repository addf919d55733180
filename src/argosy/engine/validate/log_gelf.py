"""``gelf-*`` options (moby ``daemon/logger/gelf: ValidateLogOpt``)."""

from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError

_COMPRESSIONS = ("gzip", "zlib", "none")
_UDP_ONLY = ("gelf-compression-level", "gelf-compression-type")
_TCP_ONLY = ("gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay")


def check_gelf(options: Mapping[str, str]) -> None:
    """Raises InvalidParameterError."""
    scheme = _check_address(options.get("gelf-address", ""))
    for option in _UDP_ONLY if scheme == "tcp" else _TCP_ONLY:
        if option in options:
            words = "compression is only supported on UDP" if scheme == "tcp" else f'"{option}" is only valid for TCP'
            raise InvalidParameterError(words)
    if options.get("gelf-compression-type", "gzip") not in _COMPRESSIONS:
        raise _unknown("gelf-compression-type", options)
    for option, lowest, highest in (("gelf-compression-level", -1, 9), *((name, 0, 1 << 31) for name in _TCP_ONLY)):
        if option in options and not _between(options[option], lowest, highest):
            raise _unknown(option, options)


def _check_address(address: str) -> str:
    if not address:
        raise InvalidParameterError("gelf-address is a required parameter")
    scheme, separator, place = address.partition("://")
    if not separator or scheme not in ("udp", "tcp"):
        raise InvalidParameterError("gelf: endpoint needs to be TCP or UDP")
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise InvalidParameterError("gelf: please provide gelf-address as proto://host:port")
    return scheme


def _between(text: str, lowest: int, highest: int) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and lowest <= int(text) <= highest


def _unknown(option: str, options: Mapping[str, str]) -> InvalidParameterError:
    return InvalidParameterError(f'unknown value "{options[option]}" for log opt "{option}" for gelf log driver')
