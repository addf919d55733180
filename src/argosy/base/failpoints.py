"""Named points at which a test can kill the daemon, to show that the next boot finishes or undoes what was begun.

``ARGOSY_FAILPOINTS=storage.layer.commit=kill,engine.start:3=kill`` kills the process the first time the first point is
passed and the third time the second one is. Without the variable a point costs one test of an empty dictionary.
"""

import os
import signal


def parse(text: str) -> dict[str, int]:
    """Return how many passes each named point still allows. Raises ValueError on anything but ``name[:count]=kill``."""
    points: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        target, _, action = part.partition("=")
        name, _, count = target.partition(":")
        if action != "kill" or not name:
            raise ValueError(f"ARGOSY_FAILPOINTS: {part!r} is not name[:count]=kill")
        points[name] = int(count or 1)
    return points


_points = parse(os.environ.get("ARGOSY_FAILPOINTS", ""))


def hit(name: str) -> None:
    """Die here, by SIGKILL, if the environment asks for it."""
    if _points and name in _points:
        _points[name] -= 1
        if _points[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
