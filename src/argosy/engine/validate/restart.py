"""Restart policies and what excludes them (moby ``api/types/container/hostconfig.go: ValidateRestartPolicy``)."""

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import RestartPolicy

_POLICIES = ("", "no", "always", "on-failure", "unless-stopped")


def check_restart_policy(policy: RestartPolicy) -> None:
    """Raises InvalidParameterError."""
    if policy.name not in _POLICIES:
        raise InvalidParameterError(
            f"invalid restart policy: unknown policy '{policy.name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        )
    if policy.maximum_retry_count < 0:
        words = "cannot be negative" if policy.name == "on-failure" else "can only be used with 'on-failure' and cannot be negative"
        raise InvalidParameterError(f"invalid restart policy: maximum retry count {words}")
    if policy.maximum_retry_count > 0 and policy.name != "on-failure":
        raise InvalidParameterError("invalid restart policy: maximum retry count can only be used with 'on-failure'")


def restarts(policy: RestartPolicy) -> bool:
    return policy.name not in ("", "no")
