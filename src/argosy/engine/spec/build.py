"""`build_spec` puts the parts together; `exec_process` makes the ``process`` of an exec."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy.base import ids
from argosy.engine.model import Config, ContainerSpec, ExecSpec, MountPoint, Ulimit
from argosy.engine.spec import defaults
from argosy.engine.spec.devices import Lister, device_number, devices, list_host_devices
from argosy.engine.spec.mounts import mounts
from argosy.engine.spec.namespaces import namespaces
from argosy.engine.spec.resources import resources
from argosy.engine.spec.sysctls import check_sysctls
from argosy.oci.runtime_spec import VERSION, Process, RuntimeSpec


@dataclass(frozen=True, slots=True)
class SpecInputs:
    """What the revision does not say itself; all of it known before the start."""

    mounts: Sequence[MountPoint]
    """With volumes resolved to host paths."""
    files: Mapping[str, str]
    """/etc/resolv.conf, /etc/hosts, /etc/hostname → host paths; empty when the network is the host's and nothing is to be replaced."""
    cgroups_path: str
    capabilities: Sequence[str]
    """``CAP_…`` that the program gets."""
    seccomp: Mapping[str, Any] | None = None
    apparmor: str = ""
    selinux_label: str = ""
    mount_label: str = ""
    no_new_privileges: bool = False
    unconfined_paths: bool = False
    private_cgroup: bool = False
    shm_source: str = ""
    join: Mapping[str, int] = field(default_factory=dict)
    uid_map: Sequence[Mapping[str, int]] = ()
    gid_map: Sequence[Mapping[str, int]] = ()
    default_ulimits: Sequence[Ulimit] = ()
    env: Sequence[str] = ()
    """Added before the container's own (links)."""
    list_devices: Lister = list_host_devices
    device_number: Callable[[str], tuple[int, int]] = device_number


def build_spec(spec: ContainerSpec, inputs: SpecInputs) -> RuntimeSpec:
    """Return config.json for one start of the container. Raises SystemFailureError for what cannot be, in Docker's words."""
    host, config = spec.host, spec.config
    nodes, rules = devices(host, inputs.list_devices)
    limits = resources(host, inputs.device_number)
    limits["devices"] = rules
    confined = not (host.privileged or inputs.unconfined_paths)
    linux: dict[str, Any] = {
        "cgroupsPath": inputs.cgroups_path,
        "namespaces": namespaces(host, inputs.join, user_namespace=bool(inputs.uid_map), private_cgroup=inputs.private_cgroup),
        "resources": limits,
        "devices": nodes,
        "sysctl": _sysctls(spec, inputs),
        "maskedPaths": _paths(host.masked_paths, defaults.MASKED_PATHS, confined),
        "readonlyPaths": _paths(host.readonly_paths, defaults.READONLY_PATHS, confined),
        "rootfsPropagation": _root_propagation(inputs.mounts),
    }
    if inputs.uid_map:
        linux["uidMappings"], linux["gidMappings"] = list(inputs.uid_map), list(inputs.gid_map)
    if inputs.seccomp is not None:
        linux["seccomp"] = inputs.seccomp
    if inputs.mount_label:
        linux["mountLabel"] = inputs.mount_label
    built: RuntimeSpec = {
        "ociVersion": VERSION,
        "root": {"path": "rootfs", "readonly": host.readonly_rootfs},
        "process": container_process(spec, inputs),
        "hostname": "" if host.uts_mode == "host" else config.hostname,
        "mounts": mounts(
            host,
            inputs.mounts,
            files=inputs.files,
            shm_source=inputs.shm_source,
            uid_map=inputs.uid_map,
            gid_map=inputs.gid_map,
        ),
        "annotations": dict(host.annotations or {}),
        "linux": linux,
    }
    if config.domainname and host.uts_mode != "host":
        built["domainname"] = config.domainname
    return built


def environment(config: Config, *, hostname: str, extra: Sequence[str] = ()) -> list[str]:
    """Return the variables in Docker's order: PATH, HOSTNAME, TERM, links, the container's own; a later one replaces an earlier."""
    words = [f"PATH={defaults.PATH}", f"HOSTNAME={hostname}"]
    if config.tty:
        words.append("TERM=xterm")
    return replace_env([*words, *extra], config.env or ())


def replace_env(base: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return ``base`` with ``own`` laid over it; an entry without ``=`` unsets its variable."""
    found: dict[str, str] = {entry.partition("=")[0]: entry for entry in base}
    for entry in own:
        key, equals, _ = entry.partition("=")
        if equals:
            found[key] = entry
        else:
            found.pop(key, None)
    return list(found.values())


def container_process(spec: ContainerSpec, inputs: SpecInputs) -> Process:
    """Return the OCI ``process`` of the container's program."""
    host, config = spec.host, spec.config
    process: Process = {
        "terminal": config.tty,
        "user": _user(config.user, host.group_add or ()),
        "args": [spec.path, *spec.args],
        "env": environment(config, hostname=config.hostname or ids.short(spec.id), extra=inputs.env),
        "cwd": config.working_dir or "/",
        "capabilities": _capabilities(inputs.capabilities, root=_is_root(config.user)),
        "noNewPrivileges": inputs.no_new_privileges,
        "oomScoreAdj": host.oom_score_adj,
        "rlimits": _rlimits(host.ulimits or (), inputs.default_ulimits),
    }
    if config.tty and any(host.console_size):
        process["consoleSize"] = {"height": host.console_size[0], "width": host.console_size[1]}
    if inputs.apparmor:
        process["apparmorProfile"] = inputs.apparmor
    if inputs.selinux_label:
        process["selinuxLabel"] = inputs.selinux_label
    return process


def exec_process(spec: ContainerSpec, run: ExecSpec, container: Process, capabilities: Sequence[str]) -> Process:
    """Return the OCI ``process`` of an exec: the container's own with what the exec asks for laid over it."""
    process: Process = {**container}
    user = run.user or spec.config.user
    process["terminal"] = run.tty
    process["args"] = list(run.cmd)
    base = list(container["env"])
    if run.tty and not any(entry.startswith("TERM=") for entry in base):
        base.append("TERM=xterm")
    process["env"] = replace_env(base, run.env)
    process["cwd"] = run.working_dir or container["cwd"]
    process["user"] = _user(user, spec.host.group_add or ())
    process["capabilities"] = _capabilities(capabilities, root=_is_root(user))
    process.pop("consoleSize", None)
    if run.tty and run.console_size:
        process["consoleSize"] = {"height": run.console_size[0], "width": run.console_size[1]}
    if run.privileged and "apparmorProfile" in process:
        process["apparmorProfile"] = "unconfined"
    return process


def _user(user: str, groups: Sequence[str]) -> Any:
    """A name is looked up inside the container by init; ``additionalGroups`` holds names and numbers as given."""
    return {"username": user, "additionalGroups": list(groups)}


def _is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "0", "root")


def _capabilities(names: Sequence[str], *, root: bool) -> dict[str, list[str]]:
    """A program of another user starts with no effective capability, as under Docker; the bounding set is kept."""
    listed = list(names)
    held = listed if root else []
    return {"bounding": listed, "effective": held, "permitted": held, "inheritable": [], "ambient": []}


def _rlimits(own: Sequence[Ulimit], default: Sequence[Ulimit]) -> list[dict[str, Any]]:
    limits = {limit.name: limit for limit in (*default, *own)}
    return [
        {"type": f"RLIMIT_{limit.name.upper()}", "soft": _unsigned(limit.soft), "hard": _unsigned(limit.hard)} for limit in limits.values()
    ]


def _unsigned(value: int) -> int:
    """-1 is "unlimited": RLIM_INFINITY of getrlimit(2)."""
    return value & 0xFFFF_FFFF_FFFF_FFFF


def _sysctls(spec: ContainerSpec, inputs: SpecInputs) -> dict[str, str]:
    own_network = spec.host.network_mode != "host" and "network" not in inputs.join
    base = dict(defaults.SYSCTLS) if own_network and not inputs.uid_map else {}
    asked = spec.host.sysctls or {}
    check_sysctls(
        asked, host_network=spec.host.network_mode == "host", host_ipc=spec.host.ipc_mode == "host", host_uts=spec.host.uts_mode == "host"
    )
    return {**base, **asked}


def _paths(asked: tuple[str, ...] | None, default: Sequence[str], confined: bool) -> list[str]:
    if not confined:
        return []
    return list(default if asked is None else asked)


def _root_propagation(points: Sequence[MountPoint]) -> str:
    """A shared or slave bind needs the same of the root it hangs on (moby ``oci_linux.go: withMounts``)."""
    asked = {point.propagation for point in points}
    if asked & {"shared", "rshared"}:
        return "shared"
    if asked & {"slave", "rslave"}:
        return "rslave"
    return "rprivate"
