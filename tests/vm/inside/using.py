"""Words in which the tests in the machine are written."""

import json
import time
from typing import Any

from support.daemon import Daemon


def run(daemon: Daemon, *words: str) -> str:
    """Return what ``argosy run --rm`` prints; fail when it fails."""
    done = daemon.argosy("run", "--rm", *words)
    assert done.returncode == 0, done.stdout + done.stderr + daemon.log_end(10)
    return done.stdout.strip()


def refusal(daemon: Daemon, *words: str) -> str:
    """Return what ``argosy run --rm`` complains of; fail when it does not fail."""
    done = daemon.argosy("run", "--rm", *words)
    assert done.returncode != 0, done.stdout + done.stderr
    return done.stderr.strip()


def begin(daemon: Daemon, name: str, *words: str) -> dict[str, Any]:
    """Run a container that stays and return its inspection."""
    done = daemon.argosy("run", "-d", "--name", name, *words)
    assert done.returncode == 0, done.stderr + daemon.log_end(10)
    return inspect(daemon, name)


def inspect(daemon: Daemon, name: str) -> dict[str, Any]:
    """Return what the API tells of a container."""
    found: dict[str, Any] = daemon.api("GET", f"/containers/{name}/json")
    return found


def inside(daemon: Daemon, name: str, script: str) -> str:
    """Return what a shell in the container prints."""
    done = daemon.argosy("exec", name, "sh", "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def remove(daemon: Daemon, name: str) -> None:
    """Remove it, running or not."""
    daemon.api("DELETE", f"/containers/{name}?force=1&v=1")


def events(daemon: Daemon, name: str) -> list[str]:
    """Return the actions that were told of a container up to now."""
    filters = json.dumps({"container": [name]})
    route = f"/events?since=0&until={time.time():.9f}&filters={filters}".replace('"', "%22").replace(" ", "%20")
    return [json.loads(line)["Action"] for line in daemon.api.raw("GET", route)[2].splitlines() if line.strip()]
