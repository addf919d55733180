"""``docker top``: the host's ps, cut down to the container's processes (moby ``daemon/top_unix.go``)."""

import asyncio
import re
from collections.abc import Collection

from argosy.base.errors import InvalidParameterError
from argosy.engine import processes

_LIMIT = 10.0
# A column may be given another title (-o pid=NAME); one that is called PID and is not would select wrong rows.
_RETITLED = re.compile(r"\s+(\S*)=\s*(PID\S*)")
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


async def top(pids: Collection[int], ps_args: str = "-ef", *, ps: str | None = "ps") -> tuple[list[str], list[list[str]]]:
    """Return (titles, one row a process) of these host pids.

    ``ps`` is the program; if it is None or not installed, an own reader of /proc answers the usual arguments.
    Raises InvalidParameterError in Docker's words.
    """
    ps_args = ps_args or "-ef"
    if retitled := _RETITLED.search(ps_args):
        raise InvalidParameterError(f'specifying "{retitled[1]}={retitled[2]}" is not allowed')
    words = ps_args.split()
    output = await _run(ps, words, pids) if ps else None
    if output is None:
        return processes.table(words, pids)
    return parse(output, pids)


async def _run(ps: str, words: list[str], pids: Collection[int]) -> str | None:
    """Return ps's output; None when ps is not installed."""
    try:
        code, output, _ = await _execute(ps, [*words, "-q", ",".join(map(str, pids))])
        if code == 0:
            return output
        # Some options do not go together with -q; the rows are filtered anyway.
        code, output, errors = await _execute(ps, words)
    except FileNotFoundError:
        return None
    if code == 0:
        return output
    first = errors.partition("\n")[0]
    raise InvalidParameterError(f"ps: {first}" if first else "error running ps")


async def _execute(ps: str, words: list[str]) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(ps, *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=_ENVIRONMENT)
    try:
        output, errors = await asyncio.wait_for(process.communicate(), _LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def parse(output: str, pids: Collection[int]) -> tuple[list[str], list[list[str]]]:
    """Return titles and the rows of ``pids`` from ps's output. Raises InvalidParameterError without a PID column."""
    lines = output.splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise InvalidParameterError("Couldn't find PID field in ps output")
    column = titles.index("PID")
    wanted = {str(pid) for pid in pids}
    rows, previous = [], False
    for fields in (line.split() for line in lines[1:]):
        if len(fields) <= column:
            continue
        # A dash instead of a pid: a thread of the process above (ps -m).
        previous = previous if fields[column] == "-" else fields[column] in wanted
        if previous:
            rows.append(_row(fields, len(titles)))
    return titles, rows


def _row(fields: list[str], width: int) -> list[str]:
    """The last column is a command line with blanks of its own: joined again, as Docker does."""
    return [*fields[: width - 1], " ".join(fields[width - 1 :])]
