"""The daemon's configuration: command line over daemon.json over defaults, checked as a whole."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_size
from argosy.daemon import commandline
from argosy.daemon.flags import BY_KEY, BY_NAME, FLAGS, Flag, Kind, State
from argosy.engine.bind_source import WAYS as BIND_WAYS
from argosy.engine.model import Ulimit

DEFAULT_SOCKET = "unix:///run/argosy.sock"
DOCKER_SOCKET = "unix:///var/run/docker.sock"
LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}
"""By `logging`'s numbers."""


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """``values`` by `Flag.field`; every known key is there."""

    values: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    file: str = ""
    given: frozenset[str] = field(default_factory=frozenset)
    """Names of the flags that stood on the command line."""

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def load(words: Sequence[str]) -> DaemonConfig:
    """Return the configuration of a command line. Raises InvalidParameterError in dockerd's words."""
    given = commandline.parse(words)
    path = given.get("config-file", BY_NAME["config-file"].default)
    kept = read_file(path, required="config-file" in given)
    return merge({name: value for name, value in given.items() if name != "help"}, kept, path)


PASSED_OVER = {
    "allow-nondistributable-artifacts": "dockerd does nothing with it either",
    "builder": "the build cache is bounded by --disk-high-watermark, and by argosy builder prune",
}
"""Keys of a Docker's daemon.json that are no flags: a file that came from there is no reason not to start."""


def read_file(path: str, *, required: bool) -> dict[str, Any]:
    """Return the keys of daemon.json; a file that was not asked for may be missing."""
    try:
        with open(path, encoding="utf-8") as handle:
            found = json.loads(handle.read() or "{}")
    except FileNotFoundError as error:
        if required:
            raise InvalidParameterError(
                f"unable to configure the Argosy daemon with file {path}: open {path}: no such file or directory"
            ) from error
        return {}
    except ValueError as error:
        raise InvalidParameterError(f"unable to configure the Argosy daemon with file {path}: {error}") from error
    if not isinstance(found, dict):
        raise InvalidParameterError(f"unable to configure the Argosy daemon with file {path}: not a JSON object")
    # dockerd keeps its proxies in an object of their own.
    proxies = found.pop("proxies", None) or {}
    if not isinstance(proxies, dict) or proxies.keys() - {"http-proxy", "https-proxy", "no-proxy"}:
        raise InvalidParameterError(f"unable to configure the Argosy daemon with file {path}: invalid proxies: {proxies}")
    return found | proxies


def merge(given: Mapping[str, Any], kept: Mapping[str, Any], path: str) -> DaemonConfig:
    """Lay flags over the file. The same directive in both is refused, as dockerd refuses it."""
    prefix = f"unable to configure the Argosy daemon with file {path}: "
    warnings = [f"{key} in {path} has no effect: {PASSED_OVER[key]}" for key in kept if key in PASSED_OVER]
    unknown = sorted(key for key in kept if key not in BY_KEY and key not in PASSED_OVER)
    if unknown:
        raise InvalidParameterError(f"{prefix}the following directives don't match any configuration option: {', '.join(unknown)}")
    both = [
        f"{flag.file_key}: (from flag: {_shown(given[flag.name])}, from file: {_shown(kept[flag.file_key])})"
        for flag in FLAGS
        if flag.name in given and flag.file_key in kept
    ]
    if both:
        raise InvalidParameterError(
            f"{prefix}the following directives are specified both as a flag and in the configuration file: {', '.join(both)}"
        )
    values: dict[str, Any] = {}
    for flag in FLAGS:
        asked = given.get(flag.name, kept.get(flag.file_key))
        if asked is not None:
            _judge(flag, asked, warnings)
        values[flag.field] = flag.default if asked is None else _typed(flag, asked)
    config = DaemonConfig(values, tuple(warnings), path if kept else "", frozenset(given))
    check(config)
    return config


def _shown(value: Any) -> str:
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _judge(flag: Flag, asked: Any, warnings: list[str]) -> None:
    if flag.state is State.REFUSED and asked not in (False, [], ""):
        raise InvalidParameterError(f"--{flag.name} is not supported: {flag.why}")
    if flag.state is State.WARNS and asked:
        warnings.append(f"--{flag.name} has no effect: {flag.why}")
    if flag.name == "live-restore" and asked is False:
        warnings.append("--live-restore=false has no effect: containers always outlive the daemon")


def _typed(flag: Flag, asked: Any) -> Any:
    wanted = {Kind.FLAG: bool, Kind.NUMBER: int, Kind.TEXT: str, Kind.MAP: dict}.get(flag.kind)
    if flag.name in ("add-runtime", "default-ulimit") and isinstance(asked, dict):
        return asked
    if flag.kind is Kind.LIST and isinstance(asked, list):
        return tuple(asked)
    if flag.kind is Kind.SIZE:
        return asked
    if wanted is None or not isinstance(asked, wanted):
        raise InvalidParameterError(f"invalid value for {flag.file_key}: {asked!r}")
    return asked


def check(config: DaemonConfig) -> None:
    """Raise InvalidParameterError for values that no daemon could use."""
    for label in config["labels"]:
        if "=" not in label:
            raise InvalidParameterError(f"bad attribute format: {label}")
    for name in ("data_root", "exec_root"):
        if not os.path.isabs(config[name]):
            raise InvalidParameterError(f"invalid {name.replace('_', '-')}: {config[name]}: must be an absolute path")
    if config["log_level"] not in LEVELS:
        raise InvalidParameterError(f'invalid logging level: "{config["log_level"]}"')
    if config["default_ipc_mode"] not in ("private", "shareable"):
        raise InvalidParameterError(f"configured default-ipc-mode ({config['default_ipc_mode']}) is invalid: valid are private, shareable")
    if config["default_cgroupns_mode"] not in ("", "host", "private"):
        raise InvalidParameterError(f'invalid default cgroup namespace ({config["default_cgroupns_mode"]}): use "host" or "private"')
    if config["bind_create"] not in BIND_WAYS:
        raise InvalidParameterError(f"invalid bind-create: {config['bind_create']}: use {', '.join(BIND_WAYS)}")
    if config["firewall_policy"] not in ("open", "respect-host", "localhost"):
        raise InvalidParameterError(f"invalid firewall-policy: {config['firewall_policy']}: use open, respect-host or localhost")
    high, low = config["disk_high_watermark"], config["disk_low_watermark"]
    if high and not 0 < low < high < 100:
        raise InvalidParameterError(f"invalid disk watermarks: low {low} %, high {high} %: use 0 < low < high < 100, or high 0 for none")
    if config["bip"] and config["bridge"]:
        raise InvalidParameterError("You specified -b & --bip, mutually exclusive options. Please specify only one")
    hosts(config)
    ulimits(config)
    runtimes(config)
    exec_options(config)
    address_pools(config)
    mirrors(config)
    parse_size(str(config["default_shm_size"]))
    if parse_size(str(config["max_archive_size"])) < 0 or config["max_archive_ratio"] < 0:
        raise InvalidParameterError("max-archive-size and max-archive-ratio cannot be negative")


def hosts(config: DaemonConfig) -> tuple[str, ...]:
    """Return the sockets to listen on; plain TCP without TLS needs ``--tls=false`` to be said."""
    asked = tuple(config["hosts"]) or (DEFAULT_SOCKET,)
    if config["docker_socket"]:
        asked += (f"unix://{config['docker_socket']}",)
    found = tuple(host if "://" in host else f"tcp://{host}" for host in asked)
    for host in found:
        scheme = host.partition("://")[0]
        if scheme not in ("unix", "tcp", "fd"):
            raise InvalidParameterError(f'invalid bind address ({host}): unsupported proto "{scheme}"')
        if scheme == "tcp" and not uses_tls(config) and "tls" not in config.given:
            raise InvalidParameterError(
                f"{host} without TLS gives root on this host to everybody who reaches it: "
                "use --tlsverify with certificates, or say --tls=false if it is meant"
            )
    return found


def level(config: DaemonConfig) -> int:
    """Return the level for `logging`; ``--debug`` wins."""
    return LEVELS["debug"] if config["debug"] else LEVELS[config["log_level"]]


def uses_tls(config: DaemonConfig) -> bool:
    return bool(config["tls"] or config["tlsverify"])


def ulimits(config: DaemonConfig) -> tuple[Ulimit, ...]:
    """Return ``nofile=1024:2048`` words, or daemon.json's objects, as limits."""
    asked = config["default_ulimits"]
    if isinstance(asked, Mapping):
        return tuple(Ulimit(name, int(limit["Soft"]), int(limit["Hard"])) for name, limit in asked.items())
    found = []
    for word in asked:
        name, _, numbers = word.partition("=")
        soft, _, hard = numbers.partition(":")
        if not soft.lstrip("-").isdecimal() or (hard and not hard.lstrip("-").isdecimal()):
            raise InvalidParameterError(f"invalid ulimit argument: {word}")
        found.append(Ulimit(name, int(soft), int(hard or soft)))
    return tuple(found)


def runtimes(config: DaemonConfig) -> dict[str, str]:
    """Return name → path of the foreign OCI runtimes."""
    asked = config["runtimes"]
    if isinstance(asked, Mapping):
        found = {name: str(entry.get("path", "")) for name, entry in asked.items()}
    else:
        found = {name: path for name, _, path in (word.partition("=") for word in asked)}
    for name, path in found.items():
        if not name or not path:
            raise InvalidParameterError(f"invalid runtime: {name or path}: use NAME=PATH")
    return found


def mirrors(config: DaemonConfig) -> dict[str, tuple[str, ...]]:
    """Return the mirrors by registry: ``mirrors`` of daemon.json, ``HOST=URL`` words, and those of the hub."""
    asked = config["mirrors"]
    found: dict[str, tuple[str, ...]] = {}
    for host, urls in asked.items():
        several = (urls,) if isinstance(urls, str) else urls
        if not isinstance(several, tuple | list) or not all(isinstance(url, str) and url for url in several):
            raise InvalidParameterError(f"invalid mirrors of {host}: use a list of URLs")
        found[host] = tuple(several)
    for url in config["registry_mirrors"]:
        if not url.startswith(("http://", "https://")):
            raise InvalidParameterError(f'invalid mirror: unsupported scheme "{url.partition("://")[0]}" in "{url}"')
    if config["registry_mirrors"]:
        found["docker.io"] = (*config["registry_mirrors"], *found.get("docker.io", ()))
    return found


def exec_options(config: DaemonConfig) -> dict[str, str]:
    """Return the execution options. Raises for anything but ``native.cgroupdriver``."""
    found = {}
    for word in config["exec_opts"]:
        key, _, value = word.partition("=")
        if key != "native.cgroupdriver":
            raise InvalidParameterError(f"invalid exec-opt: {word}: only native.cgroupdriver is known")
        if value not in ("cgroupfs", "systemd"):
            raise InvalidParameterError(f'native.cgroupdriver option "{value}" is invalid: use systemd or cgroupfs')
        found[key] = value
    return found


def address_pools(config: DaemonConfig) -> tuple[tuple[str, int], ...]:
    """Return (base, size) of ``base=10.10.0.0/16,size=24`` words or daemon.json's objects."""
    found = []
    for pool in config["default_address_pools"]:
        parts = pool if isinstance(pool, Mapping) else dict(word.partition("=")[::2] for word in pool.split(","))
        try:
            found.append((str(parts["base"]), int(parts["size"])))
        except (KeyError, ValueError) as error:
            raise InvalidParameterError(f"invalid default address pool: {pool}: use base=CIDR,size=BITS") from error
    return tuple(found)
