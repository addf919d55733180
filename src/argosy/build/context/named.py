"""``--build-context``: files and images by names that FROM, COPY --from and RUN --mount from= know, before stages and images.

What a client asks for, name → source:

- ``docker-image://NAME``: an image, pulled if it is not here;
- ``sent://DIRECTORY``: a directory that came with the context's tar, and is no part of the context;
- whatever ``remote=`` takes: an archive, a file or a git repository.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.build.context import remote, unpack

IMAGE, SENT = "docker-image://", "sent://"


def check(sources: Mapping[str, str]) -> None:
    """Raise InvalidParameterError on a source that is none, or a directory that leads out of what was sent."""
    for name, source in sources.items():
        if not name:
            raise InvalidParameterError(f"the build context {source!r} has no name")
        if source.startswith(SENT):
            parts = source.removeprefix(SENT).split("/")
            if len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
                raise InvalidParameterError(f"build context {name}: {source!r} is no directory below the one that is sent")
        elif not source.startswith(IMAGE):
            remote.parse(source)


def apart(sources: Mapping[str, str]) -> str:
    """Return the directory of the tar that holds what is sent under names, empty when there is none. Raises InvalidParameterError."""
    found = {source.removeprefix(SENT).partition("/")[0] for source in sources.values() if source.startswith(SENT)}
    if len(found) > 1:
        raise InvalidParameterError(f"build contexts lie in several directories: {', '.join(sorted(found))}")
    return found.pop() if found else ""


class NamedContexts:
    """Of one build. ``sent``: what was sent beside the context; ``fetch`` brings the files of a URL, which stay until the build is over."""

    def __init__(self, sources: Mapping[str, str], *, sent: Path | None, fetch: Callable[[str], Awaitable[Path]]) -> None:
        self._sources = {name.lower(): source for name, source in sources.items()}
        self._sent = sent
        self._fetch = fetch
        self._found: dict[str, Path] = {}
        self._lock = asyncio.Lock()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._sources)

    def image(self, name: str) -> str:
        """Return the image that the name stands for; empty if it is no name, or stands for files."""
        source = self._sources.get(name.lower(), "")
        return source.removeprefix(IMAGE) if source.startswith(IMAGE) else ""

    async def directory(self, name: str) -> Path | None:
        """Return the files that the name stands for, None if it is no name, or an image's. Raises NotFoundError, InvalidParameterError."""
        source = self._sources.get(name.lower(), "")
        if not source or source.startswith(IMAGE):
            return None
        async with self._lock:
            if name not in self._found:
                self._found[name] = await self._get(name, source)
        return self._found[name]

    async def _get(self, name: str, source: str) -> Path:
        if not source.startswith(SENT):
            return await self._fetch(source)
        if self._sent is None:
            raise NotFoundError(f"build context {name} was not sent")
        path = source.removeprefix(SENT).partition("/")[2]
        return await asyncio.to_thread(unpack.subdirectory, self._sent, path, f"build context {name}")
