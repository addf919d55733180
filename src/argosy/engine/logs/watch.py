"""Tells followers that something happened in a log's directory: one inotify instance for all of them (inotify(7)).

A user has 128 instances by default, so one for each follower would not do. Without inotify followers look four times a second.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argosy.linux.inotify import CREATE, MODIFY, MOVED_TO, Q_OVERFLOW, Inotify

POLL = 0.25
_MASK = MODIFY | CREATE | MOVED_TO


class LogWatch:
    """Belongs to one event loop. Opens inotify with the first follower, closes it with the last."""

    def __init__(self) -> None:
        self._inotify: Inotify | None = None
        self._listeners: dict[int, dict[object, tuple[bytes, Callable[[bool], None]]]] = {}

    @contextmanager
    def watching(self, path: str, listener: Callable[[bool], None]) -> Iterator[bool]:
        """Call ``listener(created)`` after each write to the file, and when a new one took its name; yield whether that works.

        If it does not (no inotify to be had), the follower has to look by itself every `POLL` seconds.
        """
        directory, name = os.path.split(path)
        key = object()
        try:
            descriptor = self._add(directory)
        except OSError:
            yield False
            return
        self._listeners.setdefault(descriptor, {})[key] = (os.fsencode(name), listener)
        try:
            yield True
        finally:
            self._drop(descriptor, key)

    def _add(self, directory: str) -> int:
        if self._inotify is None:
            inotify = Inotify()
            asyncio.get_running_loop().add_reader(inotify.fileno(), self._read)
            self._inotify = inotify
        try:
            return self._inotify.watch(directory, _MASK)
        except OSError:
            self._close_if_idle()
            raise

    def _drop(self, descriptor: int, key: object) -> None:
        listeners = self._listeners[descriptor]
        del listeners[key]
        if not listeners:
            del self._listeners[descriptor]
            if self._inotify is not None:
                self._inotify.unwatch(descriptor)
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._inotify is not None and not self._listeners:
            asyncio.get_running_loop().remove_reader(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None

    def _read(self) -> None:
        if self._inotify is None:
            return
        for descriptor, mask, name in self._inotify.read():
            if mask & Q_OVERFLOW:
                self._tell_everybody()
                return
            for wanted, listener in list(self._listeners.get(descriptor, {}).values()):
                if name == wanted:
                    listener(bool(mask & (CREATE | MOVED_TO)))

    def _tell_everybody(self) -> None:
        """Events were lost: each follower looks for itself, at new files too."""
        for listeners in list(self._listeners.values()):
            for _, listener in list(listeners.values()):
                listener(True)
