"""What confines containers beyond namespaces."""

from __future__ import annotations

from argosy.cli.doctor.finding import NOTE, OK, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.cli.doctor.machine import Machine

_SECTION = "security"


def probe(machine: Machine) -> Iterator[Finding]:
    yield from _seccomp(machine)
    yield _apparmor(machine)
    if machine.exists("/sys/fs/selinux/enforce"):
        mode = "enforcing" if machine.read("/sys/fs/selinux/enforce").strip() == "1" else "permissive"
        if machine.read("/proc/self/attr/current").strip("\0\n ").count(":") < 2:
            consequence = "no policy is loaded, so containers cannot be labelled"
            yield Finding(_SECTION, "SELinux", NOTE, "no policy", consequence, "sudo apt install selinux-policy-default")
        elif machine.matches("/etc/selinux/*/contexts/lxc_contexts"):
            yield Finding(_SECTION, "SELinux", OK, f"{mode}; containers are labelled by an argosyd with --selinux-enabled")
        else:
            consequence = "the policy has no contexts/lxc_contexts, which names containers' labels: they get none"
            yield Finding(_SECTION, "SELinux", NOTE, mode, consequence)
    else:
        yield Finding(_SECTION, "SELinux", OK, "not used on this machine")
    yield _ids(machine)


def _seccomp(machine: Machine) -> Iterator[Finding]:
    kernel = "errno" in machine.read("/proc/sys/kernel/seccomp/actions_avail")
    library = machine.matches("/usr/lib/*/libseccomp.so.2*") or machine.matches("/usr/lib*/libseccomp.so.2*")
    consequence = "containers may make every system call; ask for that openly with --security-opt seccomp=unconfined"
    if not kernel:
        yield Finding(_SECTION, "seccomp", NOTE, "missing in the kernel", consequence, "Boot your distribution's own kernel")
    elif not library:
        yield Finding(_SECTION, "seccomp", NOTE, "libseccomp2 is not installed", consequence, "sudo apt install libseccomp2")
    else:
        yield Finding(_SECTION, "seccomp", OK, f"works ({library[0].rpartition('/')[2]})")


def _apparmor(machine: Machine) -> Finding:
    if machine.read("/sys/module/apparmor/parameters/enabled").strip() != "Y":
        return Finding(
            _SECTION, "AppArmor", NOTE, "not enabled", "containers run without a profile", "Boot with apparmor=1 security=apparmor"
        )
    if not machine.has("apparmor_parser"):
        return Finding(
            _SECTION, "AppArmor", NOTE, "apparmor_parser is missing", "our profile cannot be loaded", "sudo apt install apparmor"
        )
    return Finding(_SECTION, "AppArmor", OK, "enabled")


def _ids(machine: Machine) -> Finding:
    if machine.read("/etc/subuid").strip() and machine.read("/etc/subgid").strip():
        return Finding(_SECTION, "subordinate ids", OK, "/etc/subuid and /etc/subgid are filled")
    remedy = "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 root"
    return Finding(_SECTION, "subordinate ids", NOTE, "/etc/subuid is empty", "--userns-remap needs a range of ids", remedy)
