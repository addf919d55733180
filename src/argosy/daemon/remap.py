"""``--userns-remap`` against this host's users and subordinate ids."""

import grp
import pwd
import subprocess
from pathlib import Path

from argosy.base.errors import InvalidParameterError
from argosy.engine.settings import EngineSettings
from argosy.engine.userns import DEFAULT_USER, RANGE, Remap, free_start, parse_remap, ranges, subordinate
from argosy.linux.userns import user_namespace
from argosy.storage.drivers.probe import probe_mapping

_SUBUID, _SUBGID = "/etc/subuid", "/etc/subgid"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def remap(text: str) -> Remap | None:
    """Return the mapping, None when none is asked; the user of ``default`` is made if it is missing, as dockerd does.

    Raises InvalidParameterError when a user or its ranges are missing.
    """
    if not text:
        return None
    if text == "default":
        _provide_default()
    users = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    groups = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}
    return parse_remap(text, users=users, groups=groups, subuid=_read(_SUBUID), subgid=_read(_SUBGID))


def _provide_default() -> None:
    """Make what is missing of the default user: user, group, a range of each kind (useradd(8), usermod(8))."""
    words = missing_parts(
        user=any(entry.pw_name == DEFAULT_USER for entry in pwd.getpwall()),
        group=any(entry.gr_name == DEFAULT_USER for entry in grp.getgrall()),
        subuid=_read(_SUBUID),
        subgid=_read(_SUBGID),
    )
    for command in words:
        try:
            done = subprocess.run(command, env={"PATH": _PATH}, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise InvalidParameterError(
                f"--userns-remap default needs the user {DEFAULT_USER} with ranges in {_SUBUID} and {_SUBGID}, and {command[0]}, "
                "which would make it, is not installed (Debian: apt install passwd); make it, or name another user"
            ) from error
        if done.returncode:
            reason = done.stderr.strip() or f"exit code {done.returncode}"
            raise InvalidParameterError(f"--userns-remap default: {' '.join(command)}: {reason}")


def missing_parts(*, user: bool, group: bool, subuid: str, subgid: str) -> list[list[str]]:
    """Return the commands that make them."""
    commands = []
    if not group:
        commands.append(["groupadd", "--system", DEFAULT_USER])
    if not user:
        commands.append(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", "--gid", DEFAULT_USER, DEFAULT_USER])
    for option, text in (("--add-subuids", subuid), ("--add-subgids", subgid)):
        if not subordinate(text, DEFAULT_USER):
            start = free_start(text)
            commands.append(["usermod", option, f"{start}-{start + RANGE - 1}", DEFAULT_USER])
    return commands


def mapping_namespace(settings: EngineSettings, driver: str, data_root: Path) -> int:
    """Return the fd of a user namespace with the containers' mapping, -1 when they have none.

    Raises InvalidParameterError when the driver, the kernel or the file system cannot show files through it.
    """
    if not settings.uid_map:
        return -1
    try:
        found = user_namespace(ranges(settings.uid_map), ranges(settings.gid_map))
    except OSError as error:
        raise InvalidParameterError(
            f"--userns-remap: a user namespace with the ranges of /etc/subuid and /etc/subgid cannot be made: {error} "
            "(ranges must not overlap, and user.max_user_namespaces of sysctl must not be 0)"
        ) from error
    if refused := probe_mapping(driver, data_root, found):
        raise InvalidParameterError(f"--userns-remap: {refused}")
    return found


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""
