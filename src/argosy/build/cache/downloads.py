"""Files that ``ADD`` fetched, kept with what the server said of them, so that it need only say whether they are still the same.

One directory an entry: ``data``, and ``said.json``. Made aside and renamed; what no entry names is swept by `open`. A file is
hashed again before it is used: a power cut may have left its entry and not its data.
"""

import asyncio
import hashlib
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

from argosy.base.clock import Clock
from argosy.base.failpoints import hit
from argosy.build import keys
from argosy.build.cache.record import SOURCE, CacheRecord
from argosy.build.cache.table import CacheTable
from argosy.storage.trash import Trash


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a file: its name, its digest, and what to ask the server by."""

    name: str
    digest: str
    etag: str = ""
    modified: str = ""

    @property
    def validators(self) -> dict[str, str]:
        """Return the headers of a conditional request (RFC 9110, 13.1); empty when the server gave nothing to ask by."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in headers.items() if value}


class Downloads:
    """``home``: this one's alone, on the file system of what is built."""

    def __init__(self, home: Path, *, table: CacheTable, trash: Trash, clock: Clock) -> None:
        self._home = home
        self._table = table
        self._trash = trash
        self._clock = clock

    def open(self) -> None:
        """Sweep what a crash left."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = {record.place for record in self._table.all() if record.kind == SOURCE}
        for left in self._home.iterdir():
            if left.name not in known:
                self._trash.put(left)

    def find(self, url: str) -> Said | None:
        """Return what is known of the file that was fetched from there."""
        record = self._table.find(_key(url))
        if record is None:
            return None
        try:
            return msgspec.json.decode((self._home / record.place / "said.json").read_bytes(), type=Said)
        except (OSError, msgspec.DecodeError):
            self._drop(record)
            return None

    async def take(self, url: str, directory: str) -> Said | None:
        """Put the file into the directory, None if it is not what it was."""
        said, record = self.find(url), self._table.find(_key(url))
        if said is None or record is None:
            return None
        path = self._home / record.place / "data"
        try:
            if await asyncio.to_thread(_digest, path) == said.digest:
                os.link(path, os.path.join(directory, said.name))
                self._table.touch(record.key)
                return said
        except OSError:
            pass
        self._drop(record)
        return None

    async def keep(self, url: str, said: Said, path: str) -> None:
        """Keep the file, in place of the one before; it is shared with ``path`` from now on."""
        if not said.validators:
            return
        aside = self._home / f".{os.urandom(8).hex()}"
        await asyncio.to_thread(_write, aside, said, path)
        place = aside.name[1:]
        aside.rename(self._home / place)
        hit("build.download.kept")
        if (before := self._table.find(_key(url))) is not None:
            self.remove(before)
        now = self._clock.now_ns()
        size = os.stat(self._home / place / "data").st_size
        shown = f"http url {_without_login(url)}"
        self._table.put(CacheRecord(_key(url), SOURCE, created=now, last_used=now, uses=1, size=size, description=shown, place=place))

    def remove(self, record: CacheRecord) -> None:
        """Take the file away; the entry is the caller's."""
        self._trash.put(self._home / record.place)

    def _drop(self, record: CacheRecord) -> None:
        self._table.forget(record.key)
        self.remove(record)


def _write(aside: Path, said: Said, path: str) -> None:
    aside.mkdir(mode=0o700)
    try:
        os.link(path, aside / "data")
        (aside / "said.json").write_bytes(msgspec.json.encode(said))
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _key(url: str) -> str:
    return keys.key("http", None, url)


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
