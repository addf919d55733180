"""Who the container is: names, namespaces that must wait, keyring, limits, user."""

import os

from argosy.linux import openat2, process
from argosy.linux.syscall import words
from argosy.runtime.init import users
from argosy.runtime.init.context import Context
from argosy.runtime.init.gate import ADMITTED

_ENOSYS, _EPERM = 38, 1
_KEY_USER_SEARCH = 0x00080000


class Await:
    """Wait for a word of the parent (`gate.MAPPED`, `gate.ADMITTED`); once admitted, go into the cgroups."""

    stage = "gate"
    __slots__ = ("word",)

    def __init__(self, word: bytes) -> None:
        self.word = word

    def describe(self) -> str:
        return f"wait for {self.word.decode()}"

    def execute(self, context: Context) -> None:
        context.gate.wait(self.word)
        if self.word == ADMITTED:
            _move_into_cgroups(context)


def _move_into_cgroups(context: Context) -> None:
    for fd in context.doors:
        try:
            os.write(fd, b"0")
        except OSError as error:
            raise ValueError(f"unable to apply cgroup configuration: joining the cgroup: {words(error.errno or 0)}") from error
        os.close(fd)
    context.doors = []


class AskForHooks:
    """The moment of OCI's createRuntime and createContainer hooks: all is mounted, the host still visible."""

    stage = "hooks"
    __slots__ = ()

    def describe(self) -> str:
        return "let the caller run its hooks"

    def execute(self, context: Context) -> None:
        context.gate.ask_for_hooks()


class MapRoot:
    """Become root of the new user namespace, so that what is made here belongs to it."""

    stage = "user namespace"
    __slots__ = ()

    def describe(self) -> str:
        return "become root of the user namespace"

    def execute(self, context: Context) -> None:
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        # A change of the user id made the process dumpable as /proc/sys/fs/suid_dumpable says.
        process.prctl(process.PR_SET_DUMPABLE, 0)


class NewCgroupNamespace:
    """Its root is the cgroup this process is in *now*, hence after the join (cgroup_namespaces(7))."""

    stage = "cgroup namespace"
    __slots__ = ()

    def describe(self) -> str:
        return "new cgroup namespace"

    def execute(self, context: Context) -> None:
        process.unshare(process.NEWCGROUP)


class Hostname:
    stage = "hostname"
    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name

    def describe(self) -> str:
        return f"hostname {os.fsdecode(self.name)}"

    def execute(self, context: Context) -> None:
        process.set_hostname(self.name)


class Domainname:
    stage = "hostname"
    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name

    def describe(self) -> str:
        return f"domain name {os.fsdecode(self.name)}"

    def execute(self, context: Context) -> None:
        process.set_domainname(self.name)


class Keyring:
    """A session keyring of the container's own, not the daemon's (session-keyring(7))."""

    stage = "keyring"
    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name

    def describe(self) -> str:
        return f"session keyring {os.fsdecode(self.name)}"

    def execute(self, context: Context) -> None:
        try:
            serial = process.join_session_keyring(self.name)
        except OSError as error:
            if error.errno in (_ENOSYS, _EPERM):  # no keys in this kernel, or forbidden from outside
                return
            raise
        # As runc: an exec of the same user must be able to find it.
        try:
            permissions = int(process.describe_key(serial).split(b";")[3], 16)
            process.set_key_permissions(serial, permissions | _KEY_USER_SEARCH)
        except OSError:
            pass


class Limit:
    """One resource limit, clamped with a warning where raising it is refused."""

    stage = "rlimit"
    __slots__ = ("hard", "name", "resource", "soft")

    def __init__(self, name: bytes, resource: int, soft: int, hard: int) -> None:
        self.name = name
        self.resource = resource
        self.soft = soft
        self.hard = hard

    def describe(self) -> str:
        return f"limit {os.fsdecode(self.name)} to {self.soft}:{self.hard}"

    def execute(self, context: Context) -> None:
        if not process.set_limit(self.resource, self.soft, self.hard):
            soft, hard = process.get_limit(self.resource)
            context.warnings.append(f"{os.fsdecode(self.name)} was limited to {soft}:{hard}: raising it further needs CAP_SYS_RESOURCE")


class Personality:
    stage = "personality"
    __slots__ = ("persona",)

    def __init__(self, persona: int) -> None:
        self.persona = persona

    def describe(self) -> str:
        return f"personality {self.persona:#x}"

    def execute(self, context: Context) -> None:
        process.set_personality(self.persona)


class Scheduler:
    """sched_setattr(2): policy, nice, priority, and (runtime, deadline, period) of SCHED_DEADLINE."""

    stage = "scheduler"
    __slots__ = ("flags", "nice", "policy", "priority", "times")

    def __init__(self, policy: int, flags: int, nice: int, priority: int, times: "tuple[int, int, int]") -> None:
        self.policy = policy
        self.flags = flags
        self.nice = nice
        self.priority = priority
        self.times = times

    def describe(self) -> str:
        return f"scheduling policy {self.policy}"

    def execute(self, context: Context) -> None:
        process.set_scheduling(self.policy, self.flags, self.nice, self.priority, self.times)


class FindUser:
    """Decide who the program runs as; names are looked up in the container's own files."""

    stage = "user"
    __slots__ = ("gid", "groups", "lookup", "more", "name", "uid")

    def __init__(
        self,
        lookup: bool,
        name: bytes = b"",
        uid: int = 0,
        gid: int = 0,
        groups: "tuple[int, ...]" = (),
        more: "tuple[bytes, ...]" = (),
    ) -> None:
        self.lookup = lookup
        self.name = name
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.more = more

    def describe(self) -> str:
        return f"user {os.fsdecode(self.name)}" if self.lookup else f"user {self.uid}:{self.gid}"

    def execute(self, context: Context) -> None:
        passwd = _content(context.root, b"etc/passwd")
        group = _content(context.root, b"etc/group") if self.lookup or self.more else b""
        if self.lookup:
            user = users.resolve_user(self.name, passwd, group)
            # The primary group is in the list too, else setgroups(2) would hide it from negative permissions
            # (CVE-2022-36109).
            user.groups = [user.gid, *user.groups]
            user.by_name = True
        else:
            user = users.User(self.uid, self.gid, list(self.groups), b"/")
        user.groups = _unique([*user.groups, *self.groups, *users.resolve_groups(list(self.more), group)])
        user.home = users.home_of(user.uid, passwd)
        context.user = user


def _unique(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


def _content(root: int, path: bytes) -> bytes:
    """Return the file's content; an image without it has no users."""
    try:
        return openat2.read_file(root, path)
    except OSError:
        return b""
