"""The Dockerfile of an unpacked context, and the patterns of what the build does not see."""

import asyncio
import errno
import os
from pathlib import Path

from argosy.base.errors import InvalidParameterError
from argosy.base.patterns import Patterns, clean, lines
from argosy.build.context.model import Context
from argosy.build.context.unpack import LARGEST_DOCKERFILE
from argosy.linux.openat2 import open_root, read_file
from argosy.storage.model import Directory
from argosy.storage.ports import Workers


async def found(workers: Workers, root: Path, dockerfile: str) -> Context:
    """Read the Dockerfile, apply ``Dockerfile.dockerignore`` or ``.dockerignore``. Raises InvalidParameterError in Docker's words.

    An ignored Dockerfile is read nevertheless, and then is not there to be copied.
    """
    name, content, ignored = await asyncio.to_thread(_read, root, dockerfile)
    if ignored:
        await workers.run("prune_context", {"patterns": ignored}, root=Directory(str(root)))
    return Context(root, content, name, ignored=tuple(ignored))


def _read(root: Path, dockerfile: str) -> tuple[str, bytes, list[str]]:
    name = clean("/" + (dockerfile or "Dockerfile"))[1:]
    if clean(dockerfile or ".").startswith(".."):
        raise InvalidParameterError(f"Forbidden path outside the build context: {dockerfile} ()")
    top = open_root(os.fsencode(root))
    try:
        content = _file(top, name)
        if content is None and not dockerfile:
            name, content = ("dockerfile", lower) if (lower := _file(top, "dockerfile")) is not None else (name, None)
        if content is None:
            raise InvalidParameterError(f"Cannot locate specified Dockerfile: {name}")
        if not content:
            raise InvalidParameterError(f"the Dockerfile ({name}) cannot be empty")
        own = _file(top, name + ".dockerignore")
        data = own if own is not None else _file(top, ".dockerignore")
    finally:
        os.close(top)
    ignored = lines(data or b"")
    Patterns(ignored)
    return name, content, ignored


def _file(top: int, name: str) -> bytes | None:
    """Return the content; links stay inside the context. None if there is no such file."""
    try:
        content = read_file(top, os.fsencode(name), LARGEST_DOCKERFILE + 1)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL):
            return None
        raise
    if len(content) > LARGEST_DOCKERFILE:
        raise InvalidParameterError(f"{name} is larger than {LARGEST_DOCKERFILE >> 20} MiB")
    return content
