"""How much an endpoint may receive and send: what was asked of it, and the token buckets that make it so. Pure.

Asked by options of the endpoint (``argosy.net.down=8mbit``, ``argosy.net.up=2mbit``); labels of the container stand for options
where a client knows none: ``argosy.net.down`` for every network, ``argosy.net.NETWORK.down`` for one. What is nearest counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.network.model import EndpointSettings

_PREFIX = "argosy.net."
DOWN, UP = _PREFIX + "down", _PREFIX + "up"
DIRECTIONS = ("down", "up")
UNLIMITED = ("0", "none", "unlimited")

_UNITS = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9}
_LEAST, _MOST = 8_000, 10**12
_RATE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([kmg]?bit)")
_BURST_SECONDS, _QUEUE_SECONDS = 0.01, 0.1
_LEAST_PACKETS = 4
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bits a second, 0 for no limit. Down is towards the container."""

    down: int = 0
    up: int = 0

    @property
    def limited(self) -> bool:
        return bool(self.down or self.up)


NO_LIMIT = Bandwidth()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: bytes a second, bytes at once, bytes that may wait."""

    rate: int
    burst: int
    queue: int


def parse_rate(text: str) -> int:
    """Return bits a second of ``8mbit``, ``512kbit``, ``1.5gbit`` (tc(8), decimal); 0 of ``none``. Raises InvalidParameterError."""
    asked = text.strip().lower()
    if asked in UNLIMITED:
        return 0
    found = _RATE.fullmatch(asked)
    if found is None:
        raise InvalidParameterError(f"invalid bandwidth {text!r}: a number and bit, kbit, mbit or gbit (a second), or none; as in 8mbit")
    rate = round(float(found[1]) * _UNITS[found[2]])
    if not _LEAST <= rate <= _MOST:
        raise InvalidParameterError(f"invalid bandwidth {text!r}: it must be between 8kbit and 1000gbit; none lifts a limit")
    return rate


def asked(options: Mapping[str, str] | None) -> Bandwidth:
    """Return what an endpoint's options ask for. Raises InvalidParameterError naming the option."""
    rates = {}
    for key in (DOWN, UP):
        try:
            rates[key] = parse_rate((options or {}).get(key, "none"))
        except InvalidParameterError as error:
            raise InvalidParameterError(f"{key}: {error}") from error
    return Bandwidth(rates[DOWN], rates[UP])


def labelled(settings: EndpointSettings, network: str, labels: Mapping[str, str] | None) -> EndpointSettings:
    """Return an endpoint's settings with what the container's labels ask of this network where the settings say nothing."""
    labels = labels or {}
    found = dict(settings.driver_opts or {})
    for direction in DIRECTIONS:
        for label in (f"{_PREFIX}{network}.{direction}", _PREFIX + direction):
            if label in labels:
                found.setdefault(_PREFIX + direction, labels[label])
    return settings if found == dict(settings.driver_opts or {}) else msgspec.structs.replace(settings, driver_opts=found)


def changed(settings: EndpointSettings, down: str | None, up: str | None) -> EndpointSettings:
    """Return the settings with other limits; None leaves one as it is. Raises InvalidParameterError."""
    options = dict(settings.driver_opts or {})
    options.update({key: text.strip() for key, text in ((DOWN, down), (UP, up)) if text is not None})
    asked(options)
    return msgspec.structs.replace(settings, driver_opts=options)


def bucket(rate: int, mtu: int) -> Bucket | None:
    """Return the token bucket for so many bits a second on a link of that MTU; None for no limit.

    A hundredth of a second at once keeps short answers quick, a tenth waiting keeps TCP busy and does not make it slow.
    """
    if not rate:
        return None
    bytes_ = max(rate // 8, 1)
    least = _LEAST_PACKETS * max(mtu, 1500)
    burst = min(max(int(bytes_ * _BURST_SECONDS), least), _MOST_BYTES)
    return Bucket(bytes_, burst, min(burst + max(int(bytes_ * _QUEUE_SECONDS), 4 * least), 4 * _MOST_BYTES))


def fault(driver: str, wanted: Bandwidth) -> str:
    """Return why a network of this kind cannot limit so, empty if it can."""
    if not wanted.limited or driver == "bridge":
        return ""
    if driver in ("macvlan", "ipvlan"):
        # There is no end of the link in the host through which what comes in would have to go.
        return f"what a container receives on a {driver} network cannot be limited ({DOWN}); what it sends can" if wanted.down else ""
    return "bandwidth can be limited only on networks in which the container has a link of its own"
