"""The mount list: defaults, Docker's own files, then what the user asked for, parents first."""

from collections.abc import Mapping, Sequence

from argosy.engine.model import HostConfig, MountPoint
from argosy.engine.spec import defaults
from argosy.oci.runtime_spec import Mount

IdMappings = Sequence[Mapping[str, int]]
"""OCI ``uidMappings``."""


def mounts(
    host: HostConfig,
    points: Sequence[MountPoint],
    *,
    files: Mapping[str, str],
    shm_source: str,
    uid_map: IdMappings = (),
    gid_map: IdMappings = (),
) -> list[Mount]:
    """Return OCI mounts.

    ``files``: destination → host path of resolv.conf, hosts and hostname. ``shm_source``: a host path whose tmpfs is shared
    as /dev/shm (another container's, or the host's); empty for a tmpfs of its own. ``uid_map`` and ``gid_map``: of the user
    namespace; what the daemon keeps is mounted through them, for it has the container's ids.
    """
    taken = {point.destination for point in points} | set(host.tmpfs or {})
    found = [mount for mount in defaults.base_mounts(privileged=host.privileged) if mount["destination"] not in taken]
    if "/dev/shm" not in taken:
        found.append(_shm(host, shm_source))
    mapping: Mount = {"uidMappings": [dict(one) for one in uid_map], "gidMappings": [dict(one) for one in gid_map]} if uid_map else {}
    found.extend(
        {"destination": target, "type": "bind", "source": source, "options": ["rbind", "rprivate"], **mapping}
        for target, source in files.items()
        if target not in taken
    )
    own: list[Mount] = [{**_user_mount(point), **mapping} if point.mapped else _user_mount(point) for point in points]
    own.extend(_tmpfs(target, options) for target, options in (host.tmpfs or {}).items())
    found.extend(sorted(own, key=lambda mount: mount["destination"].rstrip("/").count("/") if mount["destination"] != "/" else 0))
    return [mount for mount in found if mount["type"] != "none"]


def _shm(host: HostConfig, source: str) -> Mount:
    if source:
        return {"destination": "/dev/shm", "type": "bind", "source": source, "options": ["rbind", "rprivate"]}
    if host.ipc_mode == "none":
        return {"destination": "/dev/shm", "type": "none"}
    size = host.shm_size or defaults.SHM_SIZE
    return {
        "destination": "/dev/shm",
        "type": "tmpfs",
        "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", f"size={size}"],
    }


def _user_mount(point: MountPoint) -> Mount:
    if point.type == "tmpfs":
        return _tmpfs(point.destination, ",".join(point.options))
    propagation = point.propagation or "rprivate"
    options = ["bind" if "non-recursive" in point.options else "rbind", propagation]
    if not point.rw:
        options.append("ro" if "non-recursive" in point.options or "ro-non-recursive" in point.options else "rro")
    return {"destination": point.destination, "type": "bind", "source": point.source, "options": options}


def _tmpfs(target: str, options: str) -> Mount:
    """A tmpfs is nosuid, nodev, noexec unless its options say otherwise (docker run --tmpfs)."""
    words = [word for word in options.split(",") if word]
    for word, opposite in (("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")):
        if word not in words and opposite not in words:
            words.insert(0, word)
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": words}
