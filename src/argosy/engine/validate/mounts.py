"""From ``-v``, ``--mount``, ``--tmpfs`` and VOLUMEs to mount points that are still to be made."""

import posixpath
from collections.abc import Iterable

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import Config, HostConfig, Mount, MountPoint
from argosy.engine.validate.binds import PROPAGATION_MODES, clean, parse_bind, wrong_target

_OPTIONS = {
    "bind": "BindOptions",
    "volume": "VolumeOptions",
    "image": "ImageOptions",
    "tmpfs": "TmpfsOptions",
}
_TMPFS_WORDS = frozenset(
    {
        *("ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "remount", "mand", "nomand", "atime"),
        *("noatime", "diratime", "nodiratime", "bind", "rbind", "unbindable", "runbindable", "private", "rprivate", "shared", "rshared"),
        *("slave", "rslave", "relatime", "norelatime", "strictatime", "nostrictatime", "defaults"),
    }
)
_TMPFS_KEYS = frozenset({"mode", "uid", "gid", "size", "nr_blocks", "nr_inodes", "mpol"})
_TMPFS_FLAGS = frozenset({"exec", "noexec"})


def mount_points(config: Config, host: HostConfig) -> tuple[MountPoint, ...]:
    """Return the candidates: volumes without a source, anonymous ones without a name; what is explicit comes first.

    ``config`` with the image's VOLUMEs merged in: one that nothing explicit covers becomes an anonymous volume. A bind of
    ``--mount`` whose source must be there carries the option ``must-exist``. Raises in Docker's words.
    """
    explicit = [parse_bind(text, host.volume_driver) for text in host.binds or ()]
    explicit += [parse_mount(mount) for mount in host.mounts or ()]
    taken = _once([*(point.destination for point in explicit), *_tmpfs(host)])
    volumes = [volume for volume in map(_declared, config.volumes or ()) if volume.destination not in taken]
    return (*explicit, *({volume.destination: volume for volume in volumes}).values())


def _once(destinations: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for destination in destinations:
        if destination in seen:
            raise InvalidParameterError(f"Duplicate mount point: {destination}")
        seen.add(destination)
    return seen


def _tmpfs(host: HostConfig) -> list[str]:
    for target, options in (host.tmpfs or {}).items():
        if reason := wrong_target(target):
            raise InvalidParameterError(reason)
        _check_tmpfs_options(options)
    return [clean(target) for target in host.tmpfs or ()]


def _check_tmpfs_options(options: str) -> None:
    """moby ``mount.MergeTmpfsOptions``; Docker looks at them only when it starts the container."""
    for word in filter(None, options.split(",")):
        key, equals, _ = word.partition("=")
        if word not in _TMPFS_WORDS and not (equals and key in _TMPFS_KEYS):
            raise InvalidParameterError(f'invalid tmpfs option "{key}"')


def _declared(text: str) -> MountPoint:
    destination = clean("/" + text)
    if destination == "/":
        raise InvalidParameterError("invalid specification: destination can't be '/'")
    return MountPoint(type="volume", destination=destination, driver="local", anonymous=True)


def parse_mount(mount: Mount) -> MountPoint:
    """Return the mount point of one entry of ``HostConfig.Mounts``. Raises InvalidParameterError."""
    if mount.type not in _OPTIONS:
        raise InvalidParameterError(f'invalid mount config for type "{mount.type}": mount type unknown')
    _check_foreign_options(mount)
    if not mount.target:
        raise _invalid(mount, "field Target must not be empty")
    if reason := wrong_target(mount.target):
        raise _invalid(mount, reason)
    match mount.type:
        case "bind":
            return _bind(mount)
        case "volume":
            return _volume(mount)
        case "tmpfs":
            return _tmpfs_mount(mount)
    return _image(mount)


def _invalid(mount: Mount, reason: str) -> InvalidParameterError:
    return InvalidParameterError(f'invalid mount config for type "{mount.type}": {reason}')


def _check_foreign_options(mount: Mount) -> None:
    given = {
        "bind": mount.bind_options,
        "volume": mount.volume_options,
        "image": mount.image_options,
        "tmpfs": mount.tmpfs_options,
    }
    for kind, options in given.items():
        if options is not None and kind != mount.type:
            raise InvalidParameterError(f'{_OPTIONS[kind]} must not be specified on mount type "{mount.type}"')


def _bind(mount: Mount) -> MountPoint:
    if not mount.source:
        raise _invalid(mount, "field Source must not be empty")
    if not posixpath.isabs(mount.source):
        raise _invalid(mount, f"invalid mount path: '{mount.source}' mount path must be absolute")
    options, words = mount.bind_options, []
    if options is not None and options.propagation and options.propagation not in PROPAGATION_MODES:
        raise _invalid(mount, f"invalid propagation mode: {options.propagation}")
    if options is None or not options.create_mountpoint:
        words.append("must-exist")
    if options is not None and options.non_recursive:
        words.append("non-recursive")
    if options is not None and options.read_only_non_recursive:
        words.append("ro-non-recursive")
    if options is not None and options.read_only_force_recursive:
        words.append("ro-force-recursive")
    return MountPoint(
        type="bind",
        source=clean(mount.source),
        destination=clean(mount.target),
        rw=not mount.read_only,
        propagation=(options.propagation if options else "") or "rprivate",
        options=tuple(words),
    )


def _volume(mount: Mount) -> MountPoint:
    options = mount.volume_options
    subpath = options.subpath if options else ""
    if not mount.source:
        if mount.read_only:
            raise _invalid(mount, "must not set ReadOnly mode when using anonymous volumes")
        if subpath:
            raise _invalid(mount, "must not set Subpath when using anonymous volumes")
    if subpath and not is_local(subpath):
        raise _invalid(mount, "subpath must be a relative path within the volume")
    driver = (options.driver_config.name if options and options.driver_config else "") or "local"
    return MountPoint(
        type="volume",
        name=mount.source,
        destination=clean(mount.target),
        driver=driver,
        mode="z" if driver == "local" else "",
        rw=not mount.read_only,
        subpath=subpath,
        no_copy=options.no_copy if options else False,
        anonymous=not mount.source,
    )


def _image(mount: Mount) -> MountPoint:
    """The image is named by ``name``; its layers are mounted read-only at start."""
    if not mount.source:
        raise _invalid(mount, "field Source must not be empty")
    subpath = mount.image_options.subpath if mount.image_options else ""
    if subpath and not is_local(subpath):
        raise _invalid(mount, "subpath must be a relative path within the image")
    return MountPoint(type="image", name=mount.source, destination=clean(mount.target), rw=False, propagation="rprivate", subpath=subpath)


def _tmpfs_mount(mount: Mount) -> MountPoint:
    if mount.source:
        raise _invalid(mount, "field Source must not be specified")
    options, words = mount.tmpfs_options, []
    if mount.read_only:
        words.append("ro")
    if options is not None:
        if options.size_bytes > 0:
            words.append(f"size={options.size_bytes}")
        if options.mode:
            words.append(f"mode={options.mode & 0o7777:o}")
        for option in options.options or ():
            if len(option) != 1 or option[0] not in _TMPFS_FLAGS:
                raise _invalid(mount, f"invalid option: {option[0] if option else ''}")
            words.append(option[0])
    return MountPoint(type="tmpfs", destination=clean(mount.target), rw=not mount.read_only, options=tuple(words))


def is_local(path: str) -> bool:
    """Whether a relative path stays where it begins (Go's ``filepath.IsLocal``)."""
    if not path or posixpath.isabs(path):
        return False
    cleaned = posixpath.normpath(path)
    return cleaned != ".." and not cleaned.startswith("../")
