"""Volumes of the ``local`` driver: directories that outlive containers, and mounts that live as long as they are used.

Under ``<data root>/volumes/NAME/_data``, what was said about them in ``state.db``. With ``device``, ``type`` and ``o`` (mount(8)'s
words) the directory is a mount point: mounted for the first container, unmounted after the last (moby ``volume/local``).
"""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from argosy.base import failpoints, ids
from argosy.base.clock import Clock
from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.base.events import EventBus
from argosy.storage import tree_quota, volume_mount
from argosy.storage.database import Database
from argosy.storage.model import VolumeView
from argosy.storage.placement import spread
from argosy.storage.ports import Workers
from argosy.storage.trash import Trash

_KIND = "volume"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")
_LONGEST = 255


class _Record(msgspec.Struct, frozen=True, omit_defaults=True):
    created: int
    labels: Mapping[str, str] = {}
    options: Mapping[str, str] = {}
    anonymous: bool = False
    driver: str = "local"


class Volumes:
    """`open` first. Whether a container uses a volume is the engine's to know; here only mounts are counted."""

    def __init__(
        self,
        root: Path,
        *,
        db: Database,
        workers: Workers,
        trash: Trash,
        events: EventBus,
        clock: Clock,
    ) -> None:
        self._root = root
        self._db = db
        self._workers = workers
        self._trash = trash
        self._events = events
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._quotas = False
        self._users: dict[str, set[str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def open(self) -> None:
        """Learn the volumes; directories that no record names are what a crash left."""
        self._root.mkdir(mode=0o701, parents=True, exist_ok=True)
        spread(self._root)
        self._quotas = tree_quota.supported(self._root)
        for name, value in self._db.load(_KIND).items():
            self._records[name] = msgspec.json.decode(value, type=_Record)
            self._restore_directory(self._root / name)
        for path in self._root.iterdir():
            if path.name not in self._records and path.is_dir():
                volume_mount.unmount(path / "_data")
                self._trash.put(path)

    async def create(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> VolumeView:
        """Return the new volume, or the existing one of that name and driver; an empty name makes an anonymous one.

        Raises InvalidParameterError on a bad name or option, NotFoundError for a driver that does not exist; all in Docker's words.
        """
        anonymous = not name
        name = name or ids.new_id()
        if driver not in ("", "local"):
            raise NotFoundError(f'create {name}: error looking up volume plugin {driver}: plugin "{driver}" not found')
        check_name(name)
        async with self._lock(name):
            if (known := self._records.get(name)) is not None:
                # Other options than it has are passed over, as Docker's local driver does.
                return self._view(name, known)
            try:
                volume_mount.check(options, quotas=self._quotas)
            except InvalidParameterError as error:
                raise InvalidParameterError(f"create {name}: {error}") from error
            record = _Record(self._clock.now_ns(), dict(labels), dict(options), anonymous)
            await self._make(name, record)
        self._events.publish("volume", "create", name, {"driver": "local"})
        return self._view(name, record)

    def get(self, name: str) -> VolumeView:
        """Raises NotFoundError ``get x: no such volume``."""
        return self._view(name, self._record(name))

    def list_(self) -> Sequence[VolumeView]:
        return [self._view(name, record) for name, record in sorted(self._records.items())]

    async def remove(self, name: str, force: bool) -> None:
        """Remove it and what is in it. Raises NotFoundError unless ``force``, ConflictError while it is mounted."""
        if name not in self._records:
            if force:
                return
            raise NotFoundError(f"get {name}: no such volume")
        async with self._lock(name):
            if self._users.get(name):
                raise ConflictError(f"remove {name}: volume has active mounts")
            if name not in self._records:
                return
            await self._db.delete(_KIND, name)
            del self._records[name]
            failpoints.hit("storage.volume.remove")
            # Mounted still only if a daemon before this one died while it was used.
            volume_mount.unmount(self._data(name))
            if self._quotas:
                tree_quota.release(self._data(name))
            self._trash.put(self._root / name)
        self._locks.pop(name, None)
        self._events.publish("volume", "destroy", name, {"driver": "local"})

    async def mount(self, name: str, user: str) -> str:
        """Make it usable (tmpfs, nfs, … are mounted now) and return the host path; ``user`` is the container's id.

        Raises NotFoundError, SystemFailureError with mount's reason.
        """
        record = self._record(name)
        async with self._lock(name):
            users = self._users.setdefault(name, set())
            data = self._data(name)
            if volume_mount.is_mount(record.options) and not users and not volume_mount.mounted(data):
                try:
                    await volume_mount.mount(record.options, data)
                except volume_mount.MountError as error:
                    raise SystemFailureError(f"error while mounting volume '{data}': {error}") from error
            users.add(user)
        return str(data)

    async def unmount(self, name: str, user: str) -> None:
        """One container less uses it. Unknown names and users are fine; what a daemon before this one mounted goes too."""
        if name not in self._records:
            return
        async with self._lock(name):
            users = self._users.get(name, set())
            users.discard(user)
            if not users:
                self._users.pop(name, None)
                if name in self._records and volume_mount.is_mount(self._records[name].options):
                    volume_mount.unmount(self._data(name))

    async def size(self, name: str) -> int:
        """Return the bytes in the volume; -1 for one whose content lies elsewhere (its options name a device)."""
        if volume_mount.is_mount(self._record(name).options):
            return -1
        fd = os.open(self._data(name), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return int(await self._workers.run("usage", {}, fds=[fd]))
        finally:
            os.close(fd)

    async def _make(self, name: str, record: _Record) -> None:
        """Directory first, record second: a directory without record is swept at boot."""
        path = self._root / name
        try:
            self._make_directory(path)
            if limit := volume_mount.size(record.options):
                tree_quota.limit(name, [path / "_data"], limit)
            failpoints.hit("storage.volume.create")
            await self._db.put(_KIND, name, msgspec.json.encode(record))
        except OSError as error:
            self._trash.put(path)
            raise SystemFailureError(f"create {name}: {error.strerror}: {path}") from error
        except BaseException:
            self._trash.put(path)
            raise
        self._records[name] = record

    def _restore_directory(self, path: Path) -> None:
        """Made before the record, but only the record was made to last: the power may have failed between the two."""
        # Listed instead of looked at: a dead NFS server's mount point does not answer.
        if not path.exists() or "_data" not in os.listdir(path):
            self._make_directory(path)

    def _make_directory(self, path: Path) -> None:
        path.mkdir(mode=0o701, exist_ok=True)
        (path / "_data").mkdir(mode=0o755)

    def _record(self, name: str) -> _Record:
        try:
            return self._records[name]
        except KeyError:
            raise NotFoundError(f"get {name}: no such volume") from None

    def _view(self, name: str, record: _Record) -> VolumeView:
        return VolumeView(
            name=name,
            driver=record.driver,
            mountpoint=str(self._data(name)),
            created=record.created,
            labels=record.labels,
            options=record.options,
            anonymous=record.anonymous,
        )

    def _data(self, name: str) -> Path:
        return self._root / name / "_data"

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


def check_name(name: str) -> None:
    """Raise InvalidParameterError in Docker's words unless ``name`` can be a volume's."""
    if len(name) == 1:
        raise InvalidParameterError(f"create {name}: volume name is too short, names should be at least two alphanumeric characters")
    if _NAME.match(name) is None or len(name) > _LONGEST:
        raise InvalidParameterError(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are '
            "allowed. If you intended to pass a host directory, use absolute path"
        )
