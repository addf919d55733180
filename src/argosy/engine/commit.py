"""``docker commit``: a container's changes and configuration as a new image (moby ``daemon/commit.go``)."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from argosy.base.errors import ConflictError
from argosy.engine import images_config
from argosy.engine.model import ContainerSpec
from argosy.images.model import CommitRequest
from argosy.oci.config import Config


class Commits(Protocol):
    async def commit(self, request: CommitRequest) -> str:
        """Return the new image's id."""
        ...


def request(
    spec: ContainerSpec, *, repo: str, tag: str, comment: str, author: str, change: Callable[[Config], Config], config: Config | None
) -> CommitRequest:
    """Return what the image store is asked for. Raises what ``change`` raises, which carries out ``--change``.

    ``config``: what the client sent; what it leaves open comes from the container, whose image's defaults are merged in already.
    """
    wanted = change(config if config is not None else spec.config)
    return CommitRequest(
        snapshot=spec.id,
        parent_image=spec.image_id,
        container_id=spec.id,
        config=portable(images_config.merge(wanted, spec.config)),
        reference=f"{repo}:{tag or 'latest'}" if repo else "",
        author=author,
        comment=comment,
    )


def portable(config: Config) -> Config:
    """Return the part that an image carries: nothing of one container's streams, names and addresses."""
    return msgspec.structs.replace(
        config,
        hostname="",
        domainname="",
        attach_stdin=False,
        attach_stdout=False,
        attach_stderr=False,
        tty=False,
        open_stdin=False,
        stdin_once=False,
        image="",
        network_disabled=False,
        mac_address="",
        stop_timeout=None,
    )


async def commit(
    images: Commits,
    wanted: CommitRequest,
    *,
    pause: bool,
    freeze: Callable[[], Awaitable[None]] | None = None,
    thaw: Callable[[], Awaitable[None]] | None = None,
) -> str:
    """Return the new image's id. A running container is frozen meanwhile if ``pause`` says so, and thawed whatever happens."""
    if not pause or freeze is None or thaw is None:
        return await images.commit(wanted)
    try:
        await freeze()
    except ConflictError:  # it has ended just now
        return await images.commit(wanted)
    try:
        return await images.commit(wanted)
    finally:
        await thaw()
