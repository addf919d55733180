"""Images that came by one index and are one image to users: one of them stands for all, the others hide behind it. Pure."""

from collections.abc import Callable, Iterable

from argosy.images import platforms
from argosy.images.platforms import Platform
from argosy.images.record import Image


def heads(images: Iterable[Image], *, named: Callable[[str], bool], host: Platform) -> dict[str, str]:
    """Return for each image that hides the id of the one that stands for it.

    An image without a name hides behind one whose index names its manifest: one that has a name, else the one that fits the
    host better.
    """

    def order(image: Image) -> tuple[bool, int, str]:
        return (not named(image.id), platforms.rank(image.platform, host), image.id)

    known = sorted(images, key=order)
    by_manifest: dict[str, Image] = {}
    for image in known:
        for entry in image.index.manifests if image.index is not None else ():
            by_manifest.setdefault(entry.digest, image)
    found: dict[str, str] = {}
    for image in known:
        if named(image.id):
            continue
        head = by_manifest.get(image.record.manifest)
        if head is not None and order(head) < order(image):
            # Heads come first in the order, so what they hide behind is known.
            found[image.id] = found.get(head.id, head.id)
    return found


def stays(current: Image, coming: Image, host: Platform) -> bool:
    """Return whether a name that is given to an image of an index stays with the one of the same index that has it:
    the better fit for this host is what the name means where no platform is asked for."""
    if not coming.record.index or current.record.index != coming.record.index:
        return False
    return platforms.rank(current.platform, host) <= platforms.rank(coming.platform, host)
