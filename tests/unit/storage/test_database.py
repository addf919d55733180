import asyncio
import sqlite3

import pytest

from argosy.base.errors import SystemFailureError
from argosy.storage import database
from argosy.storage.database import Database


@pytest.fixture
def db(tmp_path):
    db = Database(tmp_path / "state.db")
    db.open()
    yield db
    db.close()


async def test_what_was_put_is_there_after_reopening(db):
    await db.put("container", "a", b"1")
    await db.put("container", "a", b"2")
    await db.put("container", "b", b"3")
    await db.delete("container", "b")
    await db.delete("container", "never")
    db.close()
    again = Database(db.path)
    again.open()
    assert again.load("container") == {"a": b"2"}
    again.close()


async def test_the_failure_of_one_write_hurts_no_other_of_its_group(db):
    def bad(connection):
        database.put(connection, "k", "bad", b"half")
        raise ValueError("mine alone")

    results = await asyncio.gather(db.put("k", "1", b"x"), db.write(bad), db.put("k", "2", b"y"), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert db.load("k") == {"1": b"x", "2": b"y"}


async def test_an_sql_error_is_the_callers_own(db):
    with pytest.raises(sqlite3.OperationalError):
        await db.write(lambda connection: connection.execute("SELECT nothing FROM nowhere"))
    await db.put("k", "1", b"x")


async def test_many_writers_share_commits(db):
    await asyncio.gather(*(db.put("k", str(n), b"v") for n in range(500)))
    assert len(db.load("k")) == 500
    assert await db.read(lambda connection: connection.execute("SELECT count(*) FROM objects").fetchone()[0]) == 500


async def test_reads_cannot_write(db):
    with pytest.raises(sqlite3.OperationalError):
        await db.read(lambda connection: connection.execute("DELETE FROM objects"))


async def test_a_newer_schema_is_refused_untouched(tmp_path):
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SystemFailureError, match=r"newer argosyd \(schema 99"):
        Database(path).open()


async def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, certainly not" * 100)
    with pytest.raises(SystemFailureError, match="cannot open state database"):
        Database(path).open()


async def test_a_closed_database_says_so(tmp_path):
    db = Database(tmp_path / "state.db")
    with pytest.raises(SystemFailureError, match="is closed"):
        await db.put("k", "1", b"")


async def test_room_for_the_log_changes_nothing_of_what_is_in_it(tmp_path, db):
    await db.put("k", "before", b"1")
    log = tmp_path / "state.db-wal"
    length = log.stat().st_size
    database.make_room(str(log))
    assert log.stat().st_size > length
    await db.put("k", "after", b"2")
    full = log.stat().st_size
    # What a daemon that is killed now leaves.
    for name in ("state.db", "state.db-wal"):
        (tmp_path / f"left-{name}").write_bytes((tmp_path / name).read_bytes())
    left = Database(tmp_path / "left-state.db")
    left.open()
    assert left.load("k") == {"before": b"1", "after": b"2"}
    left.close()
    for number in range(1200):
        await db.put("k", f"more{number}", b"x" * 3000)
    assert len(db.load("k")) == 1202
    assert log.stat().st_size < 2 * full
    database.make_room(str(log))
