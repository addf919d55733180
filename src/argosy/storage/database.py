"""``state.db``: what was promised to a user, on disk before the promise is given.

SQLite in WAL mode with ``synchronous=FULL``: a commit is on the disk when it returns (https://www.sqlite.org/pragma.html).
One thread writes. Writes that wait while it works are committed together, each in a savepoint of its own, so that ten
callers cost one fsync and the failure of one is nobody else's. The objects themselves are opaque bytes by kind and id;
whoever owns a kind knows what is in them.
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from argosy.base import failpoints
from argosy.base.errors import SystemFailureError
from argosy.storage.reserve import Reserve

T = TypeVar("T")

MIGRATIONS = (
    """
    CREATE TABLE objects (kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
    """,
)
"""Statement ``n`` brings a database from schema ``n`` to ``n + 1`` (``PRAGMA user_version``)."""

_GROUP = 256
_IDLE_SECONDS = 1.0
_ROOM = 32 + 1000 * (24 + 4096)
"""Bytes of a log of as many pages as SQLite lets it have before it begins at its start again (fileformat2.html, section 4)."""
_PUT = "INSERT INTO objects (kind, id, value) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value"
_DELETE = "DELETE FROM objects WHERE kind = ? AND id = ?"


class _Write:
    __slots__ = ("error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[sqlite3.Connection], Any], future: "asyncio.Future[Any]") -> None:
        self.fn = fn
        self.future = future
        self.loop = future.get_loop()
        self.result: Any = None
        self.error: BaseException | None = None

    def deliver(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Database:
    """One file of state. `open` before use, `close` at the end; the coroutines may be awaited from any task of one loop."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()
        self._reserve = Reserve(Path(path).with_suffix(".reserve"))

    def open(self) -> None:
        """Open or make the file and bring its schema up to date. Raises SystemFailureError if it is newer or unreadable."""
        try:
            self._writer = _connect(self.path)
            _migrate(self._writer, self.path)
            self._reader = _connect(self.path)
            self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise SystemFailureError(f"cannot open state database {self.path}: {error}") from error
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="state.db read")
        self._thread = threading.Thread(target=self._run, name="state.db write", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what was queued and close the file. Safe to call twice."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._readers is not None:
            self._readers.shutdown()
            self._readers = None
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    async def write(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``fn(connection)`` in the writer thread and return its result once it is on disk.

        What ``fn`` raises comes out here and undoes only its own statements. A caller that is cancelled stops waiting; the
        write still happens.
        """
        if self._thread is None:
            raise SystemFailureError(f"state database {self.path} is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(fn, future))
        return await future

    async def read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``fn`` on a read-only connection in a thread and return its result."""
        if self._readers is None:
            raise SystemFailureError(f"state database {self.path} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._locked_read, fn)

    async def put(self, kind: str, id: str, value: bytes) -> None:
        """Store one object, on disk on return."""
        await self.write(lambda connection: connection.execute(_PUT, (kind, id, value)) and None)

    async def delete(self, kind: str, id: str) -> None:
        """Forget one object; absent is fine."""
        await self.write(lambda connection: connection.execute(_DELETE, (kind, id)) and None)

    def load(self, kind: str) -> dict[str, bytes]:
        """Return all objects of a kind by id. Blocks: meant for the boot."""
        return self._locked_read(lambda connection: dict(connection.execute("SELECT id, value FROM objects WHERE kind = ?", (kind,))))

    def _locked_read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        with self._reading:
            if self._reader is None:
                raise SystemFailureError(f"state database {self.path} is closed")
            return fn(self._reader)

    def _run(self) -> None:
        assert self._writer is not None
        open_, roomy = True, False
        while open_:
            group: list[_Write] = []
            try:
                item = self._queue.get(timeout=None if roomy else _IDLE_SECONDS)
            except queue.Empty:
                with contextlib.suppress(OSError):
                    # A full disk: commits say so, with words for whoever asked for them.
                    make_room(self.path + "-wal")
                roomy = True
                continue
            while True:
                if item is None:
                    open_ = False
                    break
                group.append(item)
                if len(group) == _GROUP:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            if group:
                if _commit(self._writer, group) and self._reserve.release():
                    _commit(self._writer, group)
                _deliver(group)
            self._reserve.hold()


def put(connection: sqlite3.Connection, kind: str, id: str, value: bytes) -> None:
    """Store one object inside a `Database.write` that does more than that."""
    connection.execute(_PUT, (kind, id, value))


def delete(connection: sqlite3.Connection, kind: str, id: str) -> None:
    """Forget one object inside a `Database.write` that does more than that."""
    connection.execute(_DELETE, (kind, id))


def make_room(log: str) -> None:
    """Fill the log's unused end with zeros, in the thread that writes and between two transactions.

    A commit that makes the file longer waits for the file system's journal, which has all that others did to it meanwhile to
    write; one that writes over what is there waits for its own pages. SQLite takes zeros for the end of the log: no frame's
    checksum is like that. The log has no POSIX locks, which closing a descriptor of it would drop.
    """
    with open(log, "r+b", buffering=0) as file:
        begin = file.seek(0, os.SEEK_END)
        if begin < _ROOM:
            file.write(bytes(_ROOM - begin))
            os.fsync(file.fileno())


def _connect(path: str) -> sqlite3.Connection:
    # autocommit mode: transactions are ours alone. Each connection is used under a lock or by one thread.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    newest = len(MIGRATIONS)
    if version > newest:
        raise SystemFailureError(
            f"{path} was written by a newer argosyd (schema {version}, this one knows up to {newest}): "
            "run that version again or use another --data-root"
        )
    for number in range(version, newest):
        # One script, one transaction: a crash leaves the old schema or the new one.
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def _commit(connection: sqlite3.Connection, group: list[_Write]) -> bool:
    """Carry out a group and leave in each what came of it; return whether the disk was full, and nothing of it was done."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for item in group:
            _one(connection, item)
        failpoints.hit("storage.database.commit")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for item in group:
            item.error = SystemFailureError(f"cannot write state: {error}")
        return _is_full(error)
    return False


def _one(connection: sqlite3.Connection, item: _Write) -> None:
    item.error = None
    connection.execute("SAVEPOINT one")
    try:
        item.result = item.fn(connection)
    except Exception as error:  # the caller's own; it is raised where it awaits
        if _is_full(error):
            raise
        item.error = error
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")


def _is_full(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _deliver(group: list[_Write]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
    for item in group:
        by_loop.setdefault(item.loop, []).append(item)
    for loop, items in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver_in_loop, items)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and the data is on disk.
            continue


def _deliver_in_loop(items: list[_Write]) -> None:
    for item in items:
        item.deliver()
