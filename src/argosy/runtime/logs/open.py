"""Choose and open the log writer that a `LogPlan` asks for."""

from argosy.runtime.logs.journald import Journald
from argosy.runtime.logs.jsonfile import JsonFile
from argosy.runtime.logs.local import Local, attributes_frame
from argosy.runtime.logs.rotate import RotatingFile
from argosy.runtime.logs.syslog import Syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from argosy.runtime.logs.rotate import Forker

    class Writer(Protocol):
        """Takes the program's output. Never raises for a full disk or an absent receiver."""

        def write(self, stream: int, data: bytes) -> None: ...
        def end(self, stream: int) -> None:
            """The stream (1 stdout, 2 stderr) has ended: record what is held."""
            ...

        def close(self) -> None: ...


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


class LogOptionError(ValueError):
    """The log cannot be opened as asked; the text is Docker's."""


def parse_size(text: str) -> int:
    """Return bytes of ``10m`` (go-units ``FromHumanSize`` is decimal, but log sizes are read by ``RAMInBytes``); -1: no limit."""
    if text == "-1":
        return -1
    body = text.strip().lower().removesuffix("b").removesuffix("i")
    number, unit = (body[:-1], body[-1]) if body[-1:].isalpha() else (body, "")
    try:
        size = int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        raise LogOptionError(f"invalid size: '{text}'") from None
    if size <= 0:
        raise LogOptionError("max-size must be a positive number")
    return size


def limits(driver: str, options: "Mapping[str, str]") -> tuple[int, int, bool]:
    """Return (max size or -1, number of files, compress) with the driver's defaults (docs/design/logs.md)."""
    if driver == "local":
        size, files, compress = options.get("max-size", "20m"), options.get("max-file", "5"), options.get("compress", "true")
    elif not {"max-size", "max-file", "compress"} & options.keys():
        size, files, compress = "10m", "3", "false"
    else:
        size, files, compress = options.get("max-size", "-1"), options.get("max-file", "1"), options.get("compress", "false")
    try:
        count = int(files)
    except ValueError:
        raise LogOptionError(f'strconv.Atoi: parsing "{files}": invalid syntax') from None
    if count < 1:
        raise LogOptionError("max-file cannot be less than 1")
    return parse_size(size), count, compress.lower() in ("1", "t", "true")


def open_writer(plan: "Mapping[str, Any]", fork: "Forker") -> "Writer | None":
    """Return the writer, None for ``none``. Raises LogOptionError or OSError; then nothing is open."""
    driver, options, attributes = plan["driver"], plan.get("options") or {}, plan.get("attributes") or {}
    if driver == "none":
        return None
    if driver in ("json-file", "local"):
        size, files, compress = limits(driver, options)
        if driver == "json-file":
            return JsonFile(RotatingFile(plan["path"], limit=size, files=files, compress=compress, fork=fork), attributes)
        head = attributes_frame(attributes)
        return Local(RotatingFile(plan["path"], limit=size, files=files, compress=compress, fork=fork, binary=True, header=head))
    if driver == "journald":
        return Journald(options, attributes)
    if driver == "syslog":
        return Syslog(options)
    raise LogOptionError(f'logger: no log driver named "{driver}" is registered')
