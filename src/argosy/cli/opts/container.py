"""From the flags of ``run`` and ``create`` to the API's document (docker/cli container/opts.go, parse). Pure but for the files named."""

from __future__ import annotations

from argosy.cli.opts import mounts, networks, pairs, ports, resources
from argosy.cli.opts.error import OptionError
from argosy.cli.opts.security import security

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.cli.flags import Values

_MODES = {"pid": "PID", "uts": "UTS", "userns": "USER", "cgroupns": "CGROUP"}


def document(values: Values, environ: Mapping[str, str], proxies: Mapping[str, object], host: str) -> dict[str, Any]:
    """Return the body of ``/containers/create``. Raises OptionError."""
    image, *command = values.arguments
    _check(values)
    host_config = _host_config(values)
    exposed, bindings, allowed = ports.published(values.texts("publish"))
    exposed.update(ports.exposed(values.texts("expose")))
    binds, anonymous = mounts.volumes(values.texts("volume"))
    mode, endpoints = networks.attachments(
        [one for name in ("net", "network") for one in values.items(name)],  # type: ignore[misc]
        aliases=[*values.texts("net-alias"), *values.texts("network-alias")],
        links=values.texts("link"),
        ip=values.text("ip"),
        ip6=values.text("ip6"),
        link_local=values.texts("link-local-ip"),
        mac=values.text("mac-address"),
        rates={flag: values.text(flag) for flag in networks.RATES if values.text(flag)},
    )
    env = pairs.environment(values.texts("env"), values.texts("env-file"), environ)
    config: dict[str, Any] = {
        "Image": image,
        **_streams(values),
        "Env": [*pairs.proxies(proxies, host, env), *env],
        "Labels": {**pairs.labels(values.texts("label"), values.texts("label-file")), **allowed},
        "ExposedPorts": exposed,
        "Volumes": anonymous,
        **_texts(values, Hostname="hostname", Domainname="domainname", User="user", WorkingDir="workdir", StopSignal="stop-signal"),
    }
    if command:
        config["Cmd"] = command
    if values.given("entrypoint"):
        # An empty one resets the image's.
        config["Entrypoint"] = [values.text("entrypoint")]
    if values.given("stop-timeout"):
        config["StopTimeout"] = values.number("stop-timeout")
    if health := _health(values):
        config["Healthcheck"] = health
    host_config.update(NetworkMode=mode, PortBindings=bindings)
    if binds:
        host_config["Binds"] = binds
    config["HostConfig"] = host_config
    config["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    return config


def _check(values: Values) -> None:
    """What docker refuses before it asks the daemon."""
    swappiness = values.number("memory-swappiness")
    if swappiness != -1 and not 0 <= swappiness <= 100:
        raise OptionError(f"invalid value: {swappiness}. Valid memory swappiness range is 0-100")
    for flag, kind in _MODES.items():
        if not _mode_is_valid(flag, values.text(flag)):
            raise OptionError(f"--{flag}: invalid {kind} mode")
    if values.text("log-driver") == "none" and values.texts("log-opt"):
        raise OptionError("invalid logging opts for driver none")
    for text in values.texts("storage-opt"):
        if "=" not in text:
            raise OptionError("invalid storage option")
    if values.switch("rm") and values.text("restart") not in ("", "no"):
        raise OptionError("conflicting options: cannot specify both --restart and --rm")


def _mode_is_valid(flag: str, mode: str) -> bool:
    if flag == "cgroupns":
        return mode in ("", "host", "private")
    if flag == "pid" and mode.startswith("container:"):
        return len(mode) > len("container:")
    return mode in ("", "host")


def _streams(values: Values) -> dict[str, Any]:
    """``-a`` names what is attached; without it output is, and input with ``-i``."""
    wanted = values.texts("attach")
    stdin = "STDIN" in wanted if wanted else values.switch("interactive")
    return {
        "AttachStdin": stdin,
        "AttachStdout": "STDOUT" in wanted if wanted else True,
        "AttachStderr": "STDERR" in wanted if wanted else True,
        "OpenStdin": values.switch("interactive"),
        "StdinOnce": values.switch("interactive") and stdin,
        "Tty": values.switch("tty"),
    }


def _texts(values: Values, **names: str) -> dict[str, str]:
    return {key: values.text(flag) for key, flag in names.items() if values.text(flag)}


def _numbers(values: Values, **names: str) -> dict[str, int]:
    return {key: values.number(flag) for key, flag in names.items() if values.given(flag)}


def _lists(values: Values, **names: str) -> dict[str, list[object]]:
    return {key: list(values.items(flag)) for key, flag in names.items() if values.given(flag)}


def _host_config(values: Values) -> dict[str, Any]:
    out: dict[str, Any] = {
        "AutoRemove": values.switch("rm"),
        "Privileged": values.switch("privileged"),
        "PublishAllPorts": values.switch("publish-all"),
        "ReadonlyRootfs": values.switch("read-only"),
        "RestartPolicy": resources.restart_policy(values.text("restart")),
        "LogConfig": {"Type": values.text("log-driver"), "Config": pairs.mapping(values.texts("log-opt"))},
    }
    out |= resource_limits(values)
    out |= _texts(values, CgroupParent="cgroup-parent", CgroupnsMode="cgroupns", IpcMode="ipc", PidMode="pid", UTSMode="uts")
    out |= _texts(values, UsernsMode="userns", Runtime="runtime", VolumeDriver="volume-driver", ContainerIDFile="cidfile")
    out |= _texts(values, Isolation="isolation")
    out |= _lists(values, CapAdd="cap-add", CapDrop="cap-drop", GroupAdd="group-add", Links="link", VolumesFrom="volumes-from")
    out |= _lists(values, Dns="dns", DnsSearch="dns-search", ExtraHosts="add-host", Mounts="mount", Ulimits="ulimit", DeviceRequests="gpus")
    out |= _lists(values, DeviceCgroupRules="device-cgroup-rule", BlkioWeightDevice="blkio-weight-device")
    out |= _lists(values, BlkioDeviceReadBps="device-read-bps", BlkioDeviceWriteBps="device-write-bps")
    out |= _lists(values, BlkioDeviceReadIOps="device-read-iops", BlkioDeviceWriteIOps="device-write-iops")
    out |= _numbers(values, ShmSize="shm-size", OomScoreAdj="oom-score-adj", KernelMemory="kernel-memory")
    out |= _numbers(values, CpuCount="cpu-count", CpuPercent="cpu-percent", IOMaximumIOps="io-maxiops")
    out |= _numbers(values, IOMaximumBandwidth="io-maxbandwidth")
    if options := [*values.texts("dns-opt"), *values.texts("dns-option")]:
        out["DnsOptions"] = options
    if values.given("init"):
        out["Init"] = values.switch("init")
    if values.given("oom-kill-disable"):
        out["OomKillDisable"] = values.switch("oom-kill-disable")
    if values.number("memory-swappiness") != -1:
        out["MemorySwappiness"] = values.number("memory-swappiness")
    for key, flag in (("Annotations", "annotation"), ("Sysctls", "sysctl"), ("StorageOpt", "storage-opt")):
        if values.given(flag):
            out[key] = pairs.mapping(values.texts(flag))
    if values.given("tmpfs"):
        out["Tmpfs"] = mounts.tmpfs(values.texts("tmpfs"))
    _devices(values, out)
    out |= security(values.texts("security-opt"))
    return out


def resource_limits(values: Values) -> dict[str, Any]:
    """What ``update`` can change too."""
    out: dict[str, Any] = _numbers(values, Memory="memory", MemoryReservation="memory-reservation", MemorySwap="memory-swap")
    out |= _numbers(values, NanoCpus="cpus", CpuShares="cpu-shares", CpuPeriod="cpu-period", CpuQuota="cpu-quota")
    out |= _numbers(values, CpuRealtimePeriod="cpu-rt-period", CpuRealtimeRuntime="cpu-rt-runtime")
    out |= _numbers(values, PidsLimit="pids-limit", BlkioWeight="blkio-weight")
    return out | _texts(values, CpusetCpus="cpuset-cpus", CpusetMems="cpuset-mems")


def _devices(values: Values, out: dict[str, Any]) -> None:
    named = [text for text in values.texts("device") if resources.is_cdi(text)]
    paths = [resources.validate_device(text) for text in values.texts("device") if not resources.is_cdi(text)]
    if paths:
        out["Devices"] = [resources.device(text) for text in paths]
    if named:
        out.setdefault("DeviceRequests", []).append({"Driver": "cdi", "DeviceIDs": named})


def _health(values: Values) -> dict[str, Any]:
    names = ("health-cmd", "health-interval", "health-timeout", "health-start-period", "health-start-interval", "health-retries")
    if values.switch("no-healthcheck"):
        if any(values.value(name) for name in names):
            raise OptionError("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    for name in names[1:]:
        if values.number(name) < 0:
            raise OptionError(f"--{name} cannot be negative")
    if not any(values.value(name) for name in names):
        return {}
    out: dict[str, Any] = {"Test": ["CMD-SHELL", values.text("health-cmd")]} if values.text("health-cmd") else {}
    out |= _numbers(values, Interval="health-interval", Timeout="health-timeout", StartPeriod="health-start-period")
    return out | _numbers(values, StartInterval="health-start-interval", Retries="health-retries")
