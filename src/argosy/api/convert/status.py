"""The ``Status`` column of ``ps``: ``Up 5 minutes (healthy)``, ``Exited (0) 3 seconds ago``.

moby ``container.State.String`` and go-units ``HumanDuration``.
"""

from argosy.engine.model import State, Status

_SECOND = 10**9
_LIMITS = (
    (1, "Less than a second", None),
    (2, "1 second", None),
    (60, "seconds", 1),
    (120, "About a minute", None),
    (60 * 60, "minutes", 60),
)


def human_duration(ns: int) -> str:
    """Return a rough duration as go-units writes it: ``4 seconds``, ``About a minute``, ``2 weeks``."""
    seconds = int(ns / _SECOND)
    for limit, words, unit in _LIMITS:
        if seconds < limit:
            return words if unit is None else f"{seconds // unit} {words}"
    # From here on go-units rounds to whole hours first: 47.6 hours are "2 days".
    hours = int(ns / (3600 * _SECOND) + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{seconds // 3600 // 24 // 365} years"


def status_text(state: State, now_ns: int) -> str:
    """Return what ``ps`` shows at this moment."""
    if state.status is Status.RESTARTING:
        return f"Restarting ({state.exit_code}) {human_duration(now_ns - state.finished_at)} ago"
    if state.status in (Status.RUNNING, Status.PAUSED):
        up = f"Up {human_duration(now_ns - state.started_at)}"
        if state.status is Status.PAUSED:
            return f"{up} (Paused)"
        return f"{up} ({_health(state.health.status)})" if state.health is not None and state.health.status != "none" else up
    if state.status is Status.REMOVING:
        return "Removal In Progress"
    if state.status is Status.DEAD:
        return "Dead"
    if not state.started_at and not state.finished_at:
        return "Created"
    return f"Exited ({state.exit_code}) {human_duration(now_ns - state.finished_at)} ago"


def _health(status: str) -> str:
    return "health: starting" if status == "starting" else status
