"""The default profile: what a container without special rights may ask of the kernel.

Deny by default; the effect is that of Docker 28's profile (https://docs.docker.com/engine/security/seccomp/), so that images
behave alike. Each entry is (names, condition): names that are allowed, and when: always, or only with a capability, on
an architecture, for some arguments. Names that an architecture does not have are skipped when compiling.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FILES = """
access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64
fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents
getdents64 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 link linkat listmount
_llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2
pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2
rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range
syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev
"""
_ATTRIBUTES = """
fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr
lsetxattr removexattr removexattrat setxattr setxattrat
"""
_EVENTS = """
epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64
pselect6 pselect6_time64 select signalfd signalfd4
"""
_MEMORY = """
brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap
mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages
"""
_PROCESSES = """
execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority get_robust_list getrlimit getrusage
getsid get_thread_area gettid ioprio_get ioprio_set kill pause pidfd_open pidfd_send_signal prctl prlimit64
process_mrelease restart_syscall riscv_hwprobe rseq sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield setpgid setpriority setrlimit set_robust_list setsid
set_thread_area set_tid_address sysinfo tgkill tkill ugetrlimit uname uretprobe vfork wait4 waitid waitpid
"""
_SIGNALS = """
alarm rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn
"""
_IDENTITY = """
capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid
getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid
setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
"""
_SANDBOXES = "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"
_TIME = """
adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun
timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
timerfd_settime timerfd_settime64 times
"""
_SYNCHRONISATION = """
futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getrandom ipc mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget
semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
"""
_SOCKETS = """
accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send
sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
"""

# What a capability opens: the call would be useless or refused without it.
_BY_CAPABILITY = {
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_SYS_ADMIN": """bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
        lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
        setdomainname sethostname setns syslog umount umount2 unshare""",
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    "CAP_SYS_RAWIO": "ioperm iopl",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
    "CAP_SYS_NICE": "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    "CAP_SYSLOG": "syslog",
    "CAP_BPF": "bpf",
    "CAP_PERFMON": "perf_event_open",
}
_BY_ARCHITECTURE = (
    (("arm", "arm64"), "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2"),
    (("amd64", "x32"), "arch_prctl"),
    (("amd64", "x32", "x86"), "modify_ldt"),
    (("riscv64",), "riscv_flush_icache"),
)

_AF_VSOCK = 40
# PER_LINUX, PER_LINUX32, with and without UNAME26, and "tell me": the personalities that change nothing of security.
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
# Every CLONE_NEW… flag but NEWTIME (which clone(2) cannot take): none may be set.
_NAMESPACE_FLAGS = 0x7E020000
_ENOSYS = 38


def default_profile() -> "dict[str, Any]":
    """Return the default in the format of Docker's profile files."""
    always = " ".join(
        (_FILES, _ATTRIBUTES, _EVENTS, _MEMORY, _PROCESSES, _SIGNALS, _IDENTITY, _SANDBOXES, _TIME, _SYNCHRONISATION, _SOCKETS)
    )
    rules = [
        _allow(always),
        # Before Linux 4.8 ptrace could be used to get around a filter.
        _allow("process_vm_readv process_vm_writev ptrace", includes={"minKernel": "4.8"}),
        # A VM's sockets to its host are not isolated by network namespaces.
        _allow("socket", args=[{"index": 0, "value": _AF_VSOCK, "op": "SCMP_CMP_NE"}]),
    ]
    rules += [_allow("personality", args=[{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]) for value in _PERSONALITIES]
    rules += [_allow(names, includes={"arches": list(arches)}) for arches, names in _BY_ARCHITECTURE]
    rules += [_allow(names, includes={"caps": [capability]}) for capability, names in _BY_CAPABILITY.items()]
    without = {"caps": ["CAP_SYS_ADMIN"]}
    masked = [{"index": 0, "value": _NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]
    rules.append(_allow("clone", args=masked, excludes=without))
    # clone3's flags lie in memory, which a filter cannot read; ENOSYS makes the C library use clone.
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS, "excludes": without})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
            {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": []},
        ],
        "syscalls": rules,
    }


def _allow(names: str, **conditions: "Any") -> "dict[str, Any]":
    return {"names": names.split(), "action": "SCMP_ACT_ALLOW", **conditions}
