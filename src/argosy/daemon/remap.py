"""``--userns-remap`` against this host's users and subordinate ids."""

import grp
import pwd

from argosy.engine.userns import Remap, parse_remap


def remap(text: str) -> Remap | None:
    """Return the mapping, None when none is asked. Raises InvalidParameterError when a user or its ranges are missing."""
    if not text:
        return None
    users = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    groups = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}
    return parse_remap(text, users=users, groups=groups, subuid=_read("/etc/subuid"), subgid=_read("/etc/subgid"))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""
