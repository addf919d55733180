"""Mount options in mount(8)'s words → attributes, propagation and data (OCI config.md "Mount options"; runc's tables)."""

from argosy.linux import mount

# word → (attribute to set, attribute to clear)
_ATTRIBUTES = {
    "ro": (mount.ATTR_RDONLY, 0),
    "rw": (0, mount.ATTR_RDONLY),
    "nosuid": (mount.ATTR_NOSUID, 0),
    "suid": (0, mount.ATTR_NOSUID),
    "nodev": (mount.ATTR_NODEV, 0),
    "dev": (0, mount.ATTR_NODEV),
    "noexec": (mount.ATTR_NOEXEC, 0),
    "exec": (0, mount.ATTR_NOEXEC),
    "relatime": (mount.ATTR_RELATIME, mount.ATTR_ATIME_MASK),
    "norelatime": (mount.ATTR_STRICTATIME, mount.ATTR_ATIME_MASK),
    "strictatime": (mount.ATTR_STRICTATIME, mount.ATTR_ATIME_MASK),
    "nostrictatime": (mount.ATTR_RELATIME, mount.ATTR_ATIME_MASK),
    "noatime": (mount.ATTR_NOATIME, mount.ATTR_ATIME_MASK),
    "atime": (mount.ATTR_RELATIME, mount.ATTR_ATIME_MASK),
    "nodiratime": (mount.ATTR_NODIRATIME, 0),
    "diratime": (0, mount.ATTR_NODIRATIME),
    "nosymfollow": (mount.ATTR_NOSYMFOLLOW, 0),
    "symfollow": (0, mount.ATTR_NOSYMFOLLOW),
}
_RECURSIVE = {"r" + word: masks for word, masks in _ATTRIBUTES.items()}
_PROPAGATION = {
    "private": mount.MS_PRIVATE,
    "rprivate": mount.MS_PRIVATE | mount.MS_REC,
    "slave": mount.MS_SLAVE,
    "rslave": mount.MS_SLAVE | mount.MS_REC,
    "shared": mount.MS_SHARED,
    "rshared": mount.MS_SHARED | mount.MS_REC,
    "unbindable": mount.MS_UNBINDABLE,
    "runbindable": mount.MS_UNBINDABLE | mount.MS_REC,
}
_SUPERBLOCK = frozenset(("sync", "dirsync", "lazytime", "silent", "loud", "mand", "iversion"))
_IGNORED = frozenset(("defaults", "async", "nomand", "noiversion", "nolazytime", "remount", "tmpcopyup", "z", "Z"))


class MountOptions:
    """The parsed list."""

    __slots__ = ("bind", "copy_up", "data", "id_map", "off", "on", "propagation", "recursive", "recursive_off", "recursive_on")

    def __init__(self) -> None:
        self.bind = False
        self.recursive = False
        self.on = 0
        self.off = 0
        self.recursive_on = 0
        self.recursive_off = 0
        self.propagation = 0
        self.copy_up = False
        self.id_map = ""
        self.data: list[tuple[str, str | None]] = []
        """What the file system itself is told."""


def parse_options(words: "list[str]") -> MountOptions:
    """Return what the words mean together; a later one overrules an earlier one. Unknown words are the file system's."""
    options = MountOptions()
    for word in words:
        if word in ("bind", "rbind"):
            options.bind = True
            options.recursive = word == "rbind"
        elif word in _ATTRIBUTES:
            on, off = _ATTRIBUTES[word]
            options.on = options.on & ~off | on
            options.off = options.off & ~on | off
        elif word in _RECURSIVE:
            on, off = _RECURSIVE[word]
            options.recursive_on = options.recursive_on & ~off | on
            options.recursive_off = options.recursive_off & ~on | off
        elif word in _PROPAGATION:
            options.propagation = _PROPAGATION[word]
        elif word in ("idmap", "ridmap"):
            options.id_map = word
        elif word == "tmpcopyup":
            options.copy_up = True
        elif word in _SUPERBLOCK:
            options.data.append((word, None))
        elif word and word not in _IGNORED:
            key, equals, value = word.partition("=")
            options.data.append((key, value if equals else None))
    return options


def parse_propagation(word: str) -> int:
    """Return the flag of ``rootfsPropagation``; 0 for an empty one, KeyError for an unknown one."""
    return _PROPAGATION[word] if word else 0


def known_words() -> list[str]:
    """Return every word that is not passed on to the file system."""
    return sorted({"bind", "rbind", "idmap", "ridmap", *_ATTRIBUTES, *_RECURSIVE, *_PROPAGATION, *_SUPERBLOCK, *_IGNORED} - {"z", "Z"})
