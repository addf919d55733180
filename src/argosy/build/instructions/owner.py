"""``--chown``: numbers from what was written, with the accounts of the image that is built."""

from argosy.base.errors import InvalidParameterError
from argosy.oci.passwd import resolve_user
from argosy.storage.model import RootMount
from argosy.storage.ports import Workers


async def owner(text: str, root: RootMount | None, workers: Workers) -> tuple[int, int]:
    """Return (uid, gid). A user without a group is the group of the same number or name, as Docker takes it.

    Raises InvalidParameterError in Docker's words for a name that the image does not know.
    """
    user, colon, group = text.partition(":")
    if user.isdecimal() and (group.isdecimal() or not colon):
        return int(user), int(group or user)
    passwd, groups = await _accounts(root, workers)
    try:
        found = resolve_user(f"{user}:{group or user}" if not user.isdecimal() and not colon else text, passwd, groups)
    except InvalidParameterError:
        if colon:
            raise
        found = resolve_user(user, passwd, groups)
    return found.uid, found.gid


async def _accounts(root: RootMount | None, workers: Workers) -> tuple[bytes, bytes]:
    if root is None:
        return b"", b""
    passwd, groups = await workers.run("read", {"paths": ["/etc/passwd", "/etc/group"]}, root=root)
    return passwd.encode("latin-1"), groups.encode("latin-1")
