"""``docker rmi``: names first, then the image, then its parents that nothing else holds (moby ``image_delete.go``)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from argosy.base import ids
from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.base.events import EventBus
from argosy.images import platforms
from argosy.images.catalog import Catalog
from argosy.images.load import event_attributes
from argosy.images.record import Image
from argosy.images.using import User, Users
from argosy.oci import digest as digests
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
        # Asked now: without its name another of its index may stand for all.
        going = self._going(image)
        done: Deleted = []
        quiet = last = False
        if not is_id_prefix(image.id, text) and not digests.is_digest(text):
            if await self._remove_name(image, text, force=force, done=done):
                return done
            quiet = last = True
        elif is_single(self._catalog.references(image.id)):
            self._check(going, hard=True, soft=not force, names=False)
            last = True
        await self._remove_image(image, going, done, force=force, prune=prune, quiet=quiet, last=last)
        return done

    async def remove_platforms(self, text: str, wanted: Sequence[str], *, force: bool) -> Deleted:
        """Remove of an image what is for the platforms ``wanted``; its names stay with the rest, and go with the last of it.

        Return what was deleted: digests of manifests, as a list of them names a platform's part, and of layers. Raises
        NotFoundError when one is not there, InvalidParameterError without ``force`` in Docker's words, before anything is done.
        """
        image = self._catalog.find(text)
        found = {one.id: one for platform in wanted for one in (self._catalog.for_platform(image, text, platform),)}
        family = self._family(image)
        if set(found) == {one.id for one in family}:
            return await self.remove(text, force=force, prune=True)
        if not force:
            raise InvalidParameterError("Content will be removed from all images referencing this variant. Use --force to force delete.")
        for one in found.values():
            self._check([one.id], hard=True, soft=False)
        left = [one for one in family if one.id not in found]
        await self._hand_over(image, left)
        await self._catalog.remove(*found)
        layers = await self._collect()
        return [{"Deleted": digest} for digest in (*(one.record.manifest for one in found.values()), *layers)]

    def _family(self, image: Image) -> list[Image]:
        """Return the images of which users see one."""
        ids = self._catalog.family(self._catalog.head(image.id))
        return [one for image_id in ids if (one := self._catalog.get(image_id)) is not None]

    async def _hand_over(self, image: Image, left: Sequence[Image]) -> None:
        """Give the names of an image's family to one that stays; what goes hides behind it until it is gone."""
        head = self._catalog.get(self._catalog.head(image.id)) or image
        if any(one.id == head.id for one in left):
            return
        host = platforms.host()
        heir = min(left, key=lambda one: (platforms.rank(one.platform, host), one.id))
        await self._catalog.add(heir.id, msgspec.structs.replace(heir.record, index=head.record.index), self._catalog.references(head.id))

    async def _remove_name(self, image: Image, text: str, *, force: bool, done: Deleted) -> bool:
        """Untag; return whether other names remain, which ends the removal.

        The last ones of an image that can go stay for `_remove_image`: they go with it, so that a crash leaves no image without a name.
        """
        names = self._catalog.references(image.id)
        reference = self._own_name(image, text)
        if not force and is_single(names) and (users := [user for one in self._going(image) for user in self._users(one)]):
            raise ConflictError(
                f"conflict: unable to remove repository reference {_quoted(reference.familiar)} (must force) - "
                f"container {ids.short(users[0].container)} is using its referenced image {ids.short(image.id)}"
            )
        leaving = [reference]
        rest = [name for name in names if name != reference]
        if not reference.digest and not any(name.name == reference.name and not name.digest for name in rest):
            leaving += [name for name in rest if name.digest and name.name == reference.name]
        if len(leaving) == len(rest) + 1 and reference in names and self._may_go(image, force=force):
            return False
        for name in leaving:
            await self._untag(image, name, done)
        return bool(self._catalog.references(image.id))

    def _may_go(self, image: Image, *, force: bool) -> bool:
        try:
            self._check(self._going(image), hard=True, soft=not force, names=False)
        except Conflict:
            return False
        return True

    def _own_name(self, image: Image, text: str) -> Reference:
        reference = parse(text).tagged()
        if self._catalog.named(reference) is None and reference.digest:
            # name@digest may name the image without being on record in that form.
            for name in self._catalog.references(image.id):
                if name.name == reference.name and (not reference.tag or reference.tag == name.tag):
                    return name
        return reference

    async def _remove_image(
        self, image: Image, going: Sequence[str], done: Deleted, *, force: bool, prune: bool, quiet: bool, last: bool = False
    ) -> None:
        """``last``: the names that it has still go with it."""
        try:
            self._check(going, hard=True, soft=not force, names=not last)
        except Conflict as conflict:
            dangling = not self._catalog.references(image.id) and not self._catalog.children(image.id)
            if quiet and (not dangling or conflict.used):
                return
            raise
        names = self._catalog.references(image.id)
        await self._catalog.remove(*going)
        for name in names:
            self._untagged(image, name, done)
        layers = await self._collect()
        self._events.publish("image", "delete", image.id, event_attributes(image.config, image.id))
        done.extend({"Deleted": one} for one in going)
        done.extend({"Deleted": chain} for chain in layers)
        parent = self._catalog.get(image.record.parent) if prune and image.record.parent else None
        if parent is not None:
            # Parents go quietly, and never by force.
            await self._remove_image(parent, self._going(parent), done, force=False, prune=True, quiet=True)

    async def _untag(self, image: Image, name: Reference, done: Deleted) -> None:
        await self._catalog.untag(name)
        self._untagged(image, name, done)

    def _untagged(self, image: Image, name: Reference, done: Deleted) -> None:
        self._events.publish("image", "untag", image.id, event_attributes(image.config, image.id))
        done.append({"Untagged": name.familiar})

    def _going(self, image: Image) -> list[str]:
        """Return the ids that go with an image: its own, and those that hide behind it and behind no other."""
        family = self._family(image) if self._catalog.head(image.id) == image.id else [image]
        inside = {one.id for one in family}
        others = [one.index for one in self._catalog.all().values() if one.index is not None and one.id not in inside]
        kept = {one.id for one in family if any(index.names(one.record.manifest) for index in others)} - {image.id}
        return [image.id, *(one.id for one in family if one.id != image.id and one.id not in kept)]

    def _check(self, image_ids: Sequence[str], *, hard: bool, soft: bool, names: bool = True) -> None:
        """Raise `Conflict`, which names the first of the ids, if something holds one of them."""
        image_id = image_ids[0]
        users = [user for one in image_ids for user in self._users(one)]
        if hard and any(self._catalog.children(one) for one in image_ids):
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
