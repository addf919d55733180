"""``docker rmi``: names first, then the image, then its parents that nothing else holds (moby ``image_delete.go``)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from argosy.base import ids
from argosy.base.errors import ConflictError
from argosy.base.events import EventBus
from argosy.images.catalog import Catalog
from argosy.images.load import event_attributes
from argosy.images.record import Image
from argosy.images.using import User, Users
from argosy.oci.reference import Reference, parse

Deleted = list[Mapping[str, str]]


class Conflict(ConflictError):
    """``used``: it is a container that stands in the way."""

    def __init__(self, image_id: str, reason: str, *, hard: bool, used: bool = False) -> None:
        must = "cannot be forced" if hard else "must be forced"
        super().__init__(f"conflict: unable to delete {ids.short(image_id)} ({must}) - {reason}")
        self.used = used


class Remover:
    """``collect`` frees the layers and blobs that nothing needs any more and returns the chain IDs of those layers."""

    def __init__(self, *, catalog: Catalog, events: EventBus, users: Users, collect: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._catalog = catalog
        self._events = events
        self._users = users
        self._collect = collect

    async def remove(self, text: str, *, force: bool, prune: bool) -> Deleted:
        """Return what was untagged and deleted, in Docker's order. Raises NotFoundError and ConflictError."""
        image = self._catalog.find(text)
        done: Deleted = []
        quiet = False
        if not is_id_prefix(image.id, text):
            if await self._remove_name(image, text, force=force, done=done):
                return done
            quiet = True
        elif is_single(self._catalog.references(image.id)):
            self._check(image.id, hard=True, soft=not force, names=False)
            await self._untag_all(image, done)
        await self._remove_image(image, done, force=force, prune=prune, quiet=quiet)
        return done

    async def _remove_name(self, image: Image, text: str, *, force: bool, done: Deleted) -> bool:
        """Untag; return whether other names remain, which ends the removal."""
        names = self._catalog.references(image.id)
        reference = self._own_name(image, text)
        if not force and is_single(names) and (users := self._users(image.id)):
            raise ConflictError(
                f"conflict: unable to remove repository reference {_quoted(reference.familiar)} (must force) - "
                f"container {ids.short(users[0].container)} is using its referenced image {ids.short(image.id)}"
            )
        await self._untag(image, reference, done)
        names = self._catalog.references(image.id)
        if not reference.digest and not any(name.name == reference.name and not name.digest for name in names):
            for name in names:
                if name.digest and name.name == reference.name:
                    await self._untag(image, name, done)
        return bool(self._catalog.references(image.id))

    def _own_name(self, image: Image, text: str) -> Reference:
        reference = parse(text).tagged()
        if self._catalog.named(reference) is None and reference.digest:
            # name@digest may name the image without being on record in that form.
            for name in self._catalog.references(image.id):
                if name.name == reference.name and (not reference.tag or reference.tag == name.tag):
                    return name
        return reference

    async def _remove_image(self, image: Image, done: Deleted, *, force: bool, prune: bool, quiet: bool) -> None:
        try:
            self._check(image.id, hard=True, soft=not force)
        except Conflict as conflict:
            dangling = not self._catalog.references(image.id) and not self._catalog.children(image.id)
            if quiet and (not dangling or conflict.used):
                return
            raise
        names = self._catalog.references(image.id)
        await self._catalog.remove(image.id)
        for name in names:
            self._untagged(image, name, done)
        layers = await self._collect()
        self._events.publish("image", "delete", image.id, event_attributes(image.config, image.id))
        done.append({"Deleted": image.id})
        done.extend({"Deleted": chain} for chain in layers)
        parent = self._catalog.get(image.record.parent) if prune and image.record.parent else None
        if parent is not None:
            # Parents go quietly, and never by force.
            await self._remove_image(parent, done, force=False, prune=True, quiet=True)

    async def _untag_all(self, image: Image, done: Deleted) -> None:
        for name in self._catalog.references(image.id):
            await self._untag(image, name, done)

    async def _untag(self, image: Image, name: Reference, done: Deleted) -> None:
        await self._catalog.untag(name)
        self._untagged(image, name, done)

    def _untagged(self, image: Image, name: Reference, done: Deleted) -> None:
        self._events.publish("image", "untag", image.id, event_attributes(image.config, image.id))
        done.append({"Untagged": name.familiar})

    def _check(self, image_id: str, *, hard: bool, soft: bool, names: bool = True) -> None:
        users = self._users(image_id)
        if hard and self._catalog.children(image_id):
            raise Conflict(image_id, "image has dependent child images", hard=True)
        if hard and (running := _first(users, running=True)) is not None:
            raise Conflict(image_id, f"image is being used by running container {running}", hard=True, used=True)
        if soft and names and self._catalog.references(image_id):
            raise Conflict(image_id, "image is referenced in multiple repositories", hard=False)
        if soft and (stopped := _first(users, running=False)) is not None:
            raise Conflict(image_id, f"image is being used by stopped container {stopped}", hard=False, used=True)


def _first(users: Sequence[User], *, running: bool) -> str | None:
    return next((ids.short(user.container) for user in users if user.running == running), None)


def is_id_prefix(image_id: str, text: str) -> bool:
    """Return whether the user named the image by its id."""
    return bool(text) and (image_id.startswith(text) or image_id.removeprefix("sha256:").startswith(text))


def is_single(names: Sequence[Reference]) -> bool:
    """Return whether an image has one name, digests of the same repository not counted."""
    if len(names) <= 1:
        return len(names) == 1
    tags = [name for name in names if not name.digest]
    repositories = {name.name for name in names if name.digest}
    if len(tags) > 1:
        return False
    single = tags[0] if tags else names[0]
    return repositories == {single.name}


def _quoted(text: str) -> str:
    return f'"{text}"'
