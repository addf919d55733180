"""``HEALTHCHECK`` durations (moby ``daemon/container.go: validateHealthCheck``)."""

from argosy.base.errors import InvalidParameterError
from argosy.oci.config import Healthcheck

_MINIMUM = 1_000_000


def check_healthcheck(check: Healthcheck | None) -> None:
    """Raises InvalidParameterError ``Interval in Healthcheck cannot be less than 1ms``; 0 means inherited or default."""
    if check is None:
        return
    for field, value in (("Interval", check.interval), ("Timeout", check.timeout)):
        _check(field, value)
    if check.retries < 0:
        raise InvalidParameterError("Retries in Healthcheck cannot be negative")
    for field, value in (("StartPeriod", check.start_period), ("StartInterval", check.start_interval)):
        _check(field, value)


def _check(field: str, value: int) -> None:
    if value != 0 and value < _MINIMUM:
        raise InvalidParameterError(f"{field} in Healthcheck cannot be less than 1ms")
