"""Choose and open the log writer that a `LogPlan` asks for."""

from argosy.runtime.logs.copied import Copied
from argosy.runtime.logs.journald import Journald
from argosy.runtime.logs.jsonfile import JsonFile
from argosy.runtime.logs.local import Local, attributes_frame
from argosy.runtime.logs.relay import Relay
from argosy.runtime.logs.rotate import RotatingFile
from argosy.runtime.logs.sender import DRIVERS, make
from argosy.runtime.logs.sizes import LogOptionError, cache_limits, cached, limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from argosy.runtime.logs.rotate import Forker
    from argosy.runtime.shim.loop import Loop

    class Writer(Protocol):
        """Takes the program's output. Never raises for a full disk or an absent receiver."""

        def write(self, stream: int, data: bytes) -> None: ...
        def end(self, stream: int) -> None:
            """The stream (1 stdout, 2 stderr) has ended: record what is held."""
            ...

        def close(self) -> None: ...


def open_writer(plan: "Mapping[str, Any]", fork: "Forker", loop: "Loop") -> "Writer | None":
    """Return the writer, None for ``none``. Raises LogOptionError or OSError; then nothing is open."""
    driver, options, attributes = plan["driver"], plan.get("options") or {}, plan.get("attributes") or {}
    if driver == "none":
        return None
    if driver == "json-file":
        size, files, compress = limits(driver, options)
        return JsonFile(RotatingFile(plan["path"], limit=size, files=files, compress=compress, fork=fork), attributes)
    if driver == "local":
        return Local(_frames_file(plan, limits(driver, options), fork))
    if driver != "journald" and driver not in DRIVERS:
        raise LogOptionError(f'logger: no log driver named "{driver}" is registered')
    copy = _frames_file(plan, cache_limits(options), fork) if cached(options) else None
    if driver != "journald":
        return Relay(plan, copy=copy, fork=fork, loop=loop)
    journal = _journal(options, attributes)
    return journal if copy is None else Copied(journal, Local(copy))


def try_log(plan: "Mapping[str, Any]") -> None:
    """Find out whether the log can be opened, its server reached; nothing is kept. Raises LogOptionError, ValueError or OSError."""
    if plan["driver"] in DRIVERS:
        driver = make(plan)
        driver.check()
        driver.close()
    writer = open_writer(plan, _no_fork, _NO_LOOP)
    if writer is not None:
        writer.close()


def _frames_file(plan: "Mapping[str, Any]", bounds: tuple[int, int, bool], fork: "Forker") -> RotatingFile:
    size, files, compress = bounds
    head = attributes_frame(plan.get("attributes") or {})
    return RotatingFile(plan["path"], limit=size, files=files, compress=compress, fork=fork, binary=True, header=head)


def _journal(options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> Journald:
    try:
        return Journald(options, attributes)
    except OSError:
        raise LogOptionError("journald is not enabled on this host") from None


def _no_fork(work: object, ended: object, keep: int) -> None:
    """Nothing is written here, so nothing rotates."""


_NO_LOOP: "Any" = None
"""Nothing is written, so nothing waits."""
