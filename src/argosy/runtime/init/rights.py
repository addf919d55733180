"""The last steps before execve: everything that takes rights away, in the one order that works.

credentials(7), capabilities(7), seccomp(2): a filter needs CAP_SYS_ADMIN or no_new_privs, the bounding set needs CAP_SETPCAP,
setgroups needs CAP_SETGID; KEEPCAPS carries the permitted set over setresuid so that capset can cut it down after.
"""

import os

from argosy.linux import capabilities, process
from argosy.linux.seccomp import Program
from argosy.linux.syscall import fail
from argosy.runtime.init.context import Context, open_proc, write_proc


class Rights:
    """What a process keeps. Built before the container is entered."""

    __slots__ = (
        "_own",
        "ambient",
        "apparmor",
        "bounding",
        "effective",
        "filter",
        "inheritable",
        "io_priority",
        "last",
        "no_new_privileges",
        "permitted",
        "selinux",
        "umask",
    )

    def __init__(
        self,
        *,
        bounding: int,
        effective: int,
        permitted: int,
        inheritable: int,
        ambient: int,
        last: int,
        no_new_privileges: bool = False,
        filter: "Program | None" = None,
        apparmor: bytes = b"",
        selinux: bytes = b"",
        umask: int = 0o022,
        io_priority: "tuple[int, int] | None" = None,
    ) -> None:
        self.bounding = bounding
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
        self.ambient = ambient
        self.last = last
        self.no_new_privileges = no_new_privileges
        self.filter = filter
        self.apparmor = apparmor
        self.selinux = selinux
        self.umask = umask
        self.io_priority = io_priority
        self._own = -1

    def label(self, context: Context, stay: bool = False) -> None:
        """Ask the security modules for their label at the next execve (/proc/PID/attr/exec); ``stay``: without one, at `stay_confined`."""
        me = b"%d" % os.getpid()
        if self.apparmor:
            try:
                write_proc(context, me + b"/attr/apparmor/exec", b"exec " + self.apparmor)
            except OSError as error:
                fail(error.errno or 0, f"unable to apply apparmor profile {os.fsdecode(self.apparmor)}")
        if self.apparmor not in (b"", b"unconfined") and stay:
            # Opened while this process may: it gives its rights away before it is known to be the one that stays.
            self._own = open_proc(context, me + b"/attr/apparmor/current")
        if self.selinux:
            try:
                write_proc(context, me + b"/attr/exec", self.selinux)
            except OSError as error:
                fail(error.errno or 0, f"unable to apply SELinux label {os.fsdecode(self.selinux)}")
            if stay:
                self._own = open_proc(context, me + b"/attr/current")

    def stay_confined(self) -> None:
        """Take the profile on without an execve: under another one, its like could neither signal it nor look at it."""
        if self._own < 0:
            return
        if not self.selinux:
            os.write(self._own, b"changeprofile " + self.apparmor)
            return
        try:
            os.write(self._own, self.selinux)
        except OSError:
            # Few policies allow a change of label without an execve; then it waits for its child under the daemon's label.
            pass

    def drop(self, context: Context) -> None:
        """Take the rights away for ever; afterwards this process is the user's."""
        user = context.user
        assert user is not None
        if self.io_priority is not None:
            process.set_io_priority(*self.io_priority)
        if self.no_new_privileges:
            process.prctl(process.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, name="no_new_privs")
        elif self.filter is not None:
            self.filter.load()
        process.prctl(process.PR_SET_KEEPCAPS, 1, name="keepcaps")
        capabilities.limit_bounding(self.bounding, self.last)
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        known = (1 << self.last + 1) - 1
        if user.by_name and user.uid:
            # dockerd gives another user than root the bounding set only, so that even execve itself has no more rights.
            known &= self.ambient
        capabilities.set_sets(self.effective & known, self.permitted & known, self.inheritable & known)
        capabilities.set_ambient(self.ambient & known)
        # The change of user made it readable by /proc/PID/mem again where suid_dumpable is not 0.
        process.prctl(process.PR_SET_DUMPABLE, 0)
        os.umask(self.umask)

    def confine(self) -> None:
        """Load the filter where no_new_privs allows it last."""
        if self.no_new_privileges and self.filter is not None:
            self.filter.load()
