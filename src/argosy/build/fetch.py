"""Files and git repositories that ADD and ``remote`` bring from elsewhere."""

import asyncio
import hashlib
import os
import re
from collections.abc import Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from argosy.base.errors import InvalidParameterError, NotFoundError, UnavailableError
from argosy.build.cache.downloads import Downloads, Said
from argosy.build.context import remote, unpack
from argosy.build.context.git import Clone

if TYPE_CHECKING:
    import aiohttp

_CHUNK = 1 << 18
_CONNECT, _SILENCE = 20.0, 60.0
_SCP = re.compile(r"git@[^/]+:")


def elsewhere(text: str) -> remote.Git | remote.Download | None:
    """Return what a source of ADD means, None for a file of the context. Raises InvalidParameterError on a URL that is none."""
    if "://" in text or _SCP.match(text):
        return remote.parse(text)
    return None


class Fetches:
    """Every wait has an end."""

    def __init__(self, git: Clone, downloads: Downloads) -> None:
        self._git = git
        self._downloads = downloads

    async def fetch(self, url: str, directory: str, *, checksum: str = "") -> str:
        """Fetch a file into the directory, closed to others and with the time of its ``Last-Modified``; return its name there.

        A file that was fetched before is taken as it is where the server says that it is the same, or the checksum that it is the one.
        Raises NotFoundError, UnavailableError, InvalidParameterError on a wrong checksum; then there is no file.
        """
        kept = self._downloads.find(url)
        if kept is not None and kept.digest == checksum and (taken := await self._downloads.take(url, directory)) is not None:
            return taken.name
        return await self._ask(url, directory, checksum, kept.validators if kept is not None else {})

    async def _ask(self, url: str, directory: str, checksum: str, validators: Mapping[str, str]) -> str:
        # Loaded at first use: most daemons never fetch anything.
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session, session.get(url, headers=validators) as answer:
                if answer.status >= 400:
                    kind = NotFoundError if answer.status in (404, 410) else UnavailableError
                    raise kind(f"ADD failed: failed to GET {url} with status {answer.status} {answer.reason}")
                if answer.status == 304 and validators:
                    taken = await self._downloads.take(url, directory)
                    if taken is None:
                        return await self._ask(url, directory, checksum, {})
                    _check(url, os.path.join(directory, taken.name), taken.digest, checksum)
                    return taken.name
                name = _name(url, answer.headers.get("Content-Disposition", ""))
                path = os.path.join(directory, name)
                digest = await _receive(answer, path)
                _check(url, path, digest, checksum)
                modified = answer.headers.get("Last-Modified", "")
                seconds = _moment(modified)
                os.utime(path, (seconds, seconds))
                if "no-store" not in answer.headers.get("Cache-Control", "").lower():
                    said = Said(name, digest, answer.headers.get("ETag", ""), modified)
                    await self._downloads.keep(url, said, path)
                return name
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(f"ADD failed: cannot fetch {url}: {error or 'no answer in time'}") from error

    async def clone(self, what: remote.Git, directory: str, *, keep_git: bool = False) -> tuple[str, str]:
        """Clone a repository into the empty directory; return the path of what was asked for in it, and the commit.

        Raises InvalidParameterError.
        """
        root, home = Path(directory, "root"), Path(directory, "home")
        root.mkdir()
        home.mkdir()
        commit = await self._git.fetch(what, root, home=home)
        found = await asyncio.to_thread(unpack.subdirectory, root, what.directory)
        if not (keep_git or what.keep_git_dir) and (root / ".git").is_dir():
            (root / ".git").rename(Path(directory, "git"))
        return str(found), commit


def _check(url: str, path: str, digest: str, checksum: str) -> None:
    """Raise InvalidParameterError when the file is not the one that was asked for; then it is gone."""
    if checksum and digest != checksum:
        os.unlink(path)
        raise InvalidParameterError(f"digest mismatch {checksum}: {digest} for {url}")


async def _receive(answer: "aiohttp.ClientResponse", path: str) -> str:
    digest = hashlib.sha256()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            digest.update(chunk)
            await asyncio.to_thread(_write, fd, chunk)
    finally:
        os.close(fd)
    return "sha256:" + digest.hexdigest()


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _name(url: str, disposition: str) -> str:
    """Return the file's name: the server's, else the last part of the path. Raises InvalidParameterError without any."""
    if disposition:
        header = Message()
        header["Content-Disposition"] = disposition
        if given := header.get_filename():
            return os.path.basename(given) or "download"
    name = os.path.basename(unquote(urlsplit(url).path))
    if name in ("", ".", ".."):
        raise InvalidParameterError(f"cannot determine filename for source {url}")
    return name


def _moment(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return 0.0
