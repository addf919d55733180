"""``argosy stats``."""

from __future__ import annotations

import sys
import threading
import time

from argosy.base.errors import ArgosyError
from argosy.cli.command import ANY, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.output import listing
from argosy.cli.output import stats as kind
from argosy.cli.program import describe
from argosy.cli.session import Session
from argosy.client import containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PERIOD = 0.5


class _Watch:
    """The latest figures of one container, read in a thread of its own because each stream blocks."""

    def __init__(self, session: Session, name: str, *, stream: bool) -> None:
        self.name = name
        self.row: dict[str, Any] | None = None
        self.error = ""
        self.ended = False
        self._session = session
        self._stream = stream
        self.first = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        client = self._session.new_client()
        try:
            for sample in client.stream(containers.stats(self.name, stream=self._stream)):
                self.row = kind.row(sample, self.name)
                self.first.set()
        except (ArgosyError, OSError) as error:
            self.error = describe(error) if isinstance(error, ArgosyError) else str(error)
        finally:
            client.close()
            self.ended = True
            self.first.set()


def run(session: Session, values: Values) -> int:
    everything, form = values.switch("all"), values.text("format") or str(session.config.get("statsFormat") or "")
    trunc, once = not values.switch("no-trunc"), values.switch("no-stream")
    names = values.arguments
    if everything and names:
        raise ExitError(1, "conflicting options: cannot specify both --all and container names")
    watches = [_Watch(session, name, stream=not once) for name in names or _running(session, everything)]
    for watch in watches:
        watch.first.wait()
    problems = [watch.error for watch in watches if watch.error and names]
    if problems:
        raise ExitError(1, "\n".join(problems))
    of = kind.listing(trunc)
    if once:
        listing.show(session, of, _rows(watches), form, trunc=trunc)
        return 0
    return _follow(session, of, watches, form, trunc, fixed=bool(names), everything=everything)


def _running(session: Session, everything: bool) -> list[str]:
    return [str(row["Id"]) for row in session.call(containers.list_(all_=everything))]


def _rows(watches: list[_Watch]) -> list[dict[str, Any]]:
    return [watch.row or kind.empty(watch.name) for watch in watches if not watch.error]


def _follow(session: Session, of: listing.Listing, watches: list[_Watch], form: str, trunc: bool, *, fixed: bool, everything: bool) -> int:
    """Draw again and again; without names what starts is taken in and what is gone left out."""
    live = sys.stdout.isatty() and (not form or form.startswith("table"))
    if live:
        sys.stdout.write("\x1b[2J")
    while True:
        if live:
            # A screen that is cleared first flickers: clear what is left over after drawing.
            sys.stdout.write("\x1b[H")
        listing.show(session, of, _rows(watches), form, trunc=trunc)
        if live:
            sys.stdout.write("\x1b[J")
        sys.stdout.flush()
        if fixed and all(watch.ended for watch in watches):
            return 0
        time.sleep(_PERIOD)
        if not fixed:
            watches = _renewed(session, watches, everything)


def _renewed(session: Session, watches: list[_Watch], everything: bool) -> list[_Watch]:
    known = {watch.name: watch for watch in watches if not watch.ended}
    return [known.get(name) or _Watch(session, name, stream=True) for name in _running(session, everything)]


COMMAND = Command(
    run,
    "[CONTAINER...]",
    flags=(
        Flag("all", "a", help="Show all containers (default shows just running)"),
        LIST_FORMAT,
        Flag("no-stream", "", help="Disable streaming stats and only pull the first result"),
        Flag("no-trunc", "", help="Do not truncate output"),
    ),
    arity=ANY,
    complete="running+",
    examples=(("argosy stats --no-stream", "once, for scripts"),),
)
