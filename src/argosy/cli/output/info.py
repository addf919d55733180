"""``info`` as docker prints it (docker/cli system/info.go)."""

from __future__ import annotations

from argosy.cli.output import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


def server(info: Mapping[str, Any]) -> str:
    """Return the server's part."""
    return "\n".join(_lines(info))


def _lines(info: Mapping[str, Any]) -> Iterator[str]:
    yield f" Containers: {info.get('Containers', 0)}"
    for name in ("Running", "Paused", "Stopped"):
        yield f"  {name}: {info.get(f'Containers{name}', 0)}"
    yield f" Images: {info.get('Images', 0)}"
    yield from _said(info, ("Server Version", "ServerVersion"))
    yield f" Storage Driver: {info.get('Driver', '')}"
    for name, value in info.get("DriverStatus") or []:
        yield f"  {name}: {value}"
    yield from _said(info, ("Logging Driver", "LoggingDriver"), ("Cgroup Driver", "CgroupDriver"), ("Cgroup Version", "CgroupVersion"))
    yield from _plugins(info.get("Plugins") or {})
    if directories := info.get("CDISpecDirs"):
        yield " CDI spec directories:"
        yield from (f"  {directory}" for directory in directories)
    yield f" Swarm: {(info.get('Swarm') or {}).get('LocalNodeState') or 'inactive'}"
    yield " Runtimes: " + " ".join(sorted(info.get("Runtimes") or {}))
    yield f" Default Runtime: {info.get('DefaultRuntime', '')}"
    yield from _said(info, ("Init Binary", "InitBinary"))
    for name, key in (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"), ("init", "InitCommit")):
        if commit := info.get(key):
            yield f" {name} version: {commit.get('ID', '')}"
    yield from _security(info.get("SecurityOptions") or [])
    yield from _said(info, ("Kernel Version", "KernelVersion"), ("Operating System", "OperatingSystem"), ("OSType", "OSType"))
    yield from _said(info, ("Architecture", "Architecture"))
    yield f" CPUs: {info.get('NCPU', 0)}"
    yield f" Total Memory: {human.bytes_size(info.get('MemTotal') or 0)}"
    yield from _said(info, ("Name", "Name"), ("ID", "ID"), ("Docker Root Dir", "DockerRootDir"))
    yield f" Debug Mode: {_flag(info.get('Debug'))}"
    yield from _said(info, ("HTTP Proxy", "HttpProxy"), ("HTTPS Proxy", "HttpsProxy"), ("No Proxy", "NoProxy"))
    if labels := info.get("Labels"):
        yield " Labels:"
        yield from (f"  {label}" for label in labels)
    yield f" Experimental: {_flag(info.get('ExperimentalBuild'))}"
    yield from _registries(info.get("RegistryConfig") or {})
    yield f" Live Restore Enabled: {_flag(info.get('LiveRestoreEnabled'))}"
    if pools := info.get("DefaultAddressPools"):
        yield " Default Address Pools:"
        yield from (f"   Base: {pool.get('Base')}, Size: {pool.get('Size')}" for pool in pools)
    yield ""


def _said(info: Mapping[str, Any], *names: tuple[str, str]) -> Iterator[str]:
    return (f" {label}: {info[key]}" for label, key in names if info.get(key))


def _flag(value: object) -> str:
    return "true" if value else "false"


def _plugins(plugins: Mapping[str, Any]) -> Iterator[str]:
    yield " Plugins:"
    for name in ("Volume", "Network", "Authorization", "Log"):
        if plugins.get(name):
            yield f"  {name}: {' '.join(plugins[name])}"


def _security(options: list[str]) -> Iterator[str]:
    if not options:
        return
    yield " Security Options:"
    for option in options:
        fields = dict(part.partition("=")[::2] for part in option.split(","))
        yield f"  {fields.pop('name', option)}"
        yield from (f"   {key.capitalize()}: {value}" for key, value in fields.items())


def _registries(config: Mapping[str, Any]) -> Iterator[str]:
    indexes = config.get("IndexConfigs") or {}
    insecure = sorted(name for name, one in indexes.items() if not one.get("Secure"))
    if insecure or config.get("InsecureRegistryCIDRs"):
        yield " Insecure Registries:"
        yield from (f"  {name}" for name in (*insecure, *(config.get("InsecureRegistryCIDRs") or [])))
    if mirrors := config.get("Mirrors"):
        yield " Registry Mirrors:"
        yield from (f"  {mirror}" for mirror in mirrors)
