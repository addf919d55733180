"""From configuration keys to the layers' settings."""

import logging
import os
import shutil
from collections.abc import Sequence

import argosy
from argosy.base.units import parse_size
from argosy.daemon import config as configuration
from argosy.daemon.config import DaemonConfig
from argosy.daemon.remap import remap
from argosy.engine.info import InfoSettings
from argosy.engine.model import LogConfig
from argosy.engine.platform import Machine
from argosy.engine.platform.selinux import container_policy
from argosy.engine.selinux import Policy
from argosy.engine.settings import EngineSettings
from argosy.images.distribution.settings import RegistrySettings
from argosy.network.settings import DEFAULT_POOLS, AddressPool, NetworkSettings

_log = logging.getLogger(__name__)
ROTATION = {"max-size": "10m", "max-file": "3"}
"""What nobody asked for and everybody needs (design: logs must not fill the disk)."""


def engine_settings(config: DaemonConfig, machine: Machine) -> EngineSettings:
    systemd = configuration.exec_options(config).get("native.cgroupdriver") == "systemd"
    namespace = config["default_cgroupns_mode"] or ("private" if machine.cgroups.version == 2 else "host")
    mapping = remap(config["userns_remap"])
    return EngineSettings(
        data_root=config["data_root"],
        exec_root=config["exec_root"],
        cgroup_parent=config["cgroup_parent"] or ("system.slice" if systemd else "/argosy"),
        systemd_cgroup=systemd,
        private_cgroup=namespace == "private",
        unified_cgroups=machine.cgroups.version == 2,
        private_ipc=config["default_ipc_mode"] == "private",
        default_log=LogConfig(config["log_driver"], dict(config["log_opts"])),
        default_ulimits=configuration.ulimits(config),
        default_shm_size=parse_size(str(config["default_shm_size"])),
        default_runtime=config["default_runtime"],
        runtimes={**installed_runtimes(), **configuration.runtimes(config)},
        init=config["init"],
        no_new_privileges=config["no_new_privileges"],
        selinux=_selinux(config, machine),
        seccomp_profile=config["seccomp_profile"],
        shutdown_timeout=config["shutdown_timeout"],
        ip_forward=config["ip_forward"],
        uid_map=[entry.oci() for entry in mapping.uids] if mapping else (),
        gid_map=[entry.oci() for entry in mapping.gids] if mapping else (),
        labels=tuple(config["labels"]),
        cdi_spec_dirs=tuple(config["cdi_spec_dirs"]),
    )


def _selinux(config: DaemonConfig, machine: Machine) -> Policy | None:
    """What cannot be had is warned of, and the daemon serves without, as dockerd does."""
    if not config["selinux_enabled"]:
        return None
    if not machine.selinux:
        _log.warning("--selinux-enabled: this kernel has no SELinux policy loaded, so containers are not labelled")
        return None
    found = container_policy()
    if found is None:
        _log.warning("--selinux-enabled: the policy has no contexts/lxc_contexts that names containers' labels, so they get none")
    return found


def installed_runtimes() -> dict[str, str]:
    """Return the well-known OCI runtimes of this machine: ``--runtime runc`` works without configuration, as under dockerd."""
    found = ((name, shutil.which(name)) for name in ("crun", "runc"))
    return {name: path for name, path in found if path}


def network_settings(config: DaemonConfig) -> NetworkSettings:
    pools = configuration.address_pools(config)
    gateways = config["host_gateway_ips"]
    return NetworkSettings(
        bridge=config["bridge"] or "argosy0",
        bip=config["bip"],
        bip6=config["bip6"],
        fixed_cidr=config["fixed_cidr"],
        fixed_cidr_v6=config["fixed_cidr_v6"],
        default_gateway=config["default_gateway"],
        default_gateway_v6=config["default_gateway_v6"],
        default_address_pools=tuple(AddressPool(base, size) for base, size in pools) or DEFAULT_POOLS,
        mtu=config["mtu"],
        dns=tuple(config["dns"]),
        dns_search=tuple(config["dns_search"]),
        dns_options=tuple(config["dns_opts"]),
        host_gateway_ip=gateways[0] if gateways else "",
        publish_ip=config["ip"],
        iptables=config["iptables"],
        ip_forward=config["ip_forward"],
        ip_masq=config["ip_masq"],
        userland_proxy=config["userland_proxy"],
        policy=config["firewall_policy"],
        icc=config["icc"],
        ipv6=config["ipv6"],
    )


def registry_settings(config: DaemonConfig) -> RegistrySettings:
    return RegistrySettings(
        mirrors=configuration.mirrors(config),
        insecure=tuple(config["insecure_registries"]),
        http_proxy=config["http_proxy"],
        https_proxy=config["https_proxy"],
        no_proxy=config["no_proxy"],
        downloads=max(1, config["max_concurrent_downloads"]),
        uploads=max(1, config["max_concurrent_uploads"]),
        attempts=max(1, config["max_download_attempts"]),
        user_agent=f"argosy/{argosy.__version__}",
    )


def info_settings(
    config: DaemonConfig, settings: EngineSettings, driver: str, driver_status: Sequence[tuple[str, str]], daemon_id: str
) -> InfoSettings:
    warnings = []
    if any(host.startswith("tcp://") for host in configuration.hosts(config)) and not config["tlsverify"]:
        warnings.append("WARNING: API is accessible over TCP without client certificates: everybody who reaches it is root on this host")
    runtimes: dict[str, dict[str, str]] = {"argosy": {"path": "argosy-runtime"}}
    runtimes.update({name: {"path": path} for name, path in settings.runtimes.items()})
    return InfoSettings(
        daemon_id=daemon_id,
        name=os.uname().nodename,
        version=argosy.__version__,
        data_root=settings.data_root,
        debug=config["debug"],
        labels=tuple(config["labels"]),
        cdi_spec_dirs=settings.cdi_spec_dirs,
        storage_driver=driver,
        driver_status=driver_status,
        network_drivers=("bridge", "host", "ipvlan", "macvlan", "null"),
        default_log_driver=settings.default_log.type,
        systemd_cgroup=settings.systemd_cgroup,
        private_cgroup=settings.private_cgroup,
        seccomp_profile=settings.seccomp_profile,
        no_new_privileges=settings.no_new_privileges,
        selinux=settings.selinux is not None,
        userns_remap=bool(settings.uid_map),
        default_runtime=settings.default_runtime,
        runtimes=runtimes,
        registry_mirrors=tuple(config["registry_mirrors"]),
        insecure_registries=tuple(config["insecure_registries"]),
        address_pools=configuration.address_pools(config),
        http_proxy=config["http_proxy"],
        https_proxy=config["https_proxy"],
        no_proxy=config["no_proxy"],
        experimental=config["experimental"],
        warnings=warnings,
    )
