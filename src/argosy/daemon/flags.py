"""Every flag of argosyd and key of daemon.json in one table: dockerd's, and a few of our own.

A flag of dockerd works, is accepted and unused, warns, or is refused by name; the table says which.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    TEXT = auto()
    FLAG = auto()
    NUMBER = auto()
    SIZE = auto()
    LIST = auto()
    MAP = auto()
    """``key=value`` words on the command line, an object in the file."""


class State(Enum):
    WORKS = auto()
    UNUSED = auto()
    """Accepted in silence: it means nothing here, and nothing is lost."""
    WARNS = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Flag:
    name: str
    kind: Kind
    help: str
    short: str = ""
    key: str = ""
    """In daemon.json, when it is not the name."""
    default: object = None
    state: State = State.WORKS
    why: str = ""

    @property
    def file_key(self) -> str:
        return self.key or self.name

    @property
    def field(self) -> str:
        return self.file_key.replace("-", "_")


def _text(name: str, text: str, default: str = "", **more: object) -> Flag:
    return Flag(name, Kind.TEXT, text, default=default, **more)  # type: ignore[arg-type]


def _flag(name: str, text: str, default: bool = False, **more: object) -> Flag:
    return Flag(name, Kind.FLAG, text, default=default, **more)  # type: ignore[arg-type]


def _number(name: str, text: str, default: int = 0, **more: object) -> Flag:
    return Flag(name, Kind.NUMBER, text, default=default, **more)  # type: ignore[arg-type]


def _list(name: str, text: str, **more: object) -> Flag:
    return Flag(name, Kind.LIST, text, default=(), **more)  # type: ignore[arg-type]


def _folders(name: str, text: str, *folders: str, **more: object) -> Flag:
    return Flag(name, Kind.LIST, text, default=folders, **more)  # type: ignore[arg-type]


def _map(name: str, text: str, **more: object) -> Flag:
    return Flag(name, Kind.MAP, text, default={}, **more)  # type: ignore[arg-type]


NO_CONTAINERD = "argosyd runs containers itself"

FLAGS: tuple[Flag, ...] = (
    _list("add-runtime", "Register an additional OCI runtime, NAME=PATH", key="runtimes"),
    _flag("allow-direct-routing", "Allow remote access to published ports on container addresses", state=State.UNUSED),
    _list(
        "authorization-plugin",
        "Authorization plugins to load",
        key="authorization-plugins",
        state=State.REFUSED,
        why="legacy authorization plugins are not supported",
    ),
    _text("bind-create", "What becomes of a bind mount's source (-v) that is not there: root, user or error", "root"),
    _text("bip", "IPv4 address and subnet of the default bridge, e.g. 172.17.0.1/16"),
    _text("bip6", "IPv6 address and subnet of the default bridge"),
    _text("bridge", "Link of the default network (default argosy0; none: no default network)", short="b"),
    _folders("cdi-spec-dir", "CDI specification directories", "/etc/cdi", "/var/run/cdi", key="cdi-spec-dirs"),
    _text("cgroup-parent", "Parent cgroup of all containers"),
    _text("config-file", "Daemon configuration file", "/etc/argosy/daemon.json"),
    _text("containerd", "containerd address", state=State.UNUSED, why=NO_CONTAINERD),
    _text("containerd-namespace", "containerd namespace", state=State.UNUSED, why=NO_CONTAINERD),
    _text("containerd-plugins-namespace", "containerd namespace of plugins", state=State.UNUSED, why=NO_CONTAINERD),
    _number("cpu-rt-period", "CPU real-time period of the parent cgroup", state=State.WARNS, why="set it on the container"),
    _number("cpu-rt-runtime", "CPU real-time runtime of the parent cgroup", state=State.WARNS, why="set it on the container"),
    _flag("cri-containerd", "Start containerd with CRI", state=State.REFUSED, why="the Kubernetes CRI is not served"),
    _text("data-root", "Root directory of persistent state", "/var/lib/argosy"),
    _flag("debug", "Debug log", short="D"),
    _list("default-address-pool", "Address pools of networks: base=CIDR,size=BITS", key="default-address-pools"),
    _text("default-cgroupns-mode", "Cgroup namespace of containers: host or private"),
    _text("default-gateway", "Default gateway of the default bridge"),
    _text("default-gateway-v6", "IPv6 default gateway of the default bridge"),
    _text("default-ipc-mode", "IPC namespace of containers: shareable or private", "private"),
    _list(
        "default-network-opt",
        "Default network options: DRIVER=key=value",
        key="default-network-opts",
        state=State.WARNS,
        why="give the options to `network create`",
    ),
    _text("default-runtime", "OCI runtime of containers that name none", "argosy"),
    Flag("default-shm-size", Kind.SIZE, "Size of /dev/shm", default="64m"),
    _list("default-ulimit", "Default ulimits: NAME=SOFT[:HARD]", key="default-ulimits"),
    _number("disk-high-watermark", "Remove unused images and build cache when the disk is so many per cent full (0: never; 85 is usual)"),
    _number("disk-low-watermark", "Stop removing at so many per cent", 75),
    _list("dns", "DNS servers of containers"),
    _list("dns-opt", "DNS options of containers", key="dns-opts"),
    _list("dns-search", "DNS search domains of containers"),
    _text("docker-socket", "Listen on Docker's socket too (/var/run/docker.sock when given without a path)"),
    _list("exec-opt", "native.cgroupdriver=cgroupfs|systemd", key="exec-opts"),
    _text("exec-root", "Root directory of runtime state", "/run/argosy"),
    _flag("experimental", "Experimental features", state=State.UNUSED),
    _map("feature", "Daemon features", key="features", state=State.UNUSED),
    _text("firewall-policy", "Published ports beside the host's own firewall: open, respect-host or localhost", "open"),
    _text("fixed-cidr", "IPv4 range for containers of the default bridge"),
    _text("fixed-cidr-v6", "IPv6 range for containers of the default bridge"),
    _text("group", "Group of the unix socket", "argosy", short="G"),
    _list("host", "Socket to listen on: unix://PATH, tcp://ADDRESS:PORT, fd://", short="H", key="hosts"),
    _list("host-gateway-ip", "What host-gateway in --add-host means", key="host-gateway-ips"),
    _text("http-proxy", "Proxy for outgoing http"),
    _text("https-proxy", "Proxy for outgoing https"),
    _flag("icc", "Containers of the default bridge reach each other", True),
    _flag("init", "Run a reaper as PID 1 of containers"),
    _text("init-path", "Path of docker-init", state=State.UNUSED, why="the reaper is built in"),
    _list("insecure-registry", "Registries without TLS", key="insecure-registries"),
    _text("ip", "Address where ports are published that name none", "0.0.0.0"),
    _flag("ip-forward", "Switch forwarding on", True),
    _flag("ip-forward-no-drop", "Leave the FORWARD policy alone", state=State.UNUSED, why="it is always left alone"),
    _flag("ip-masq", "Masquerade containers of the default bridge", True),
    _flag("ip6tables", "Write firewall rules for IPv6", True, state=State.UNUSED, why="one nftables table holds both"),
    _flag("iptables", "Write firewall rules (nftables)", True),
    _flag("ipv6", "IPv6 on the default bridge"),
    _list("label", "Labels of the daemon: KEY=VALUE", key="labels"),
    _flag("live-restore", "Containers outlive the daemon (always)", True, state=State.UNUSED, why="always on"),
    _text("log-driver", "Log driver of containers that name none", "json-file"),
    _text("log-format", "text or json", "text"),
    _text("log-level", "debug, info, warn, error or fatal", "info", short="l"),
    _map("log-opt", "Log options of containers that name no driver", key="log-opts"),
    _number("max-archive-ratio", "How many times its size a compressed archive may unpack to, beyond 1 GiB (0: any)", 500),
    Flag("max-archive-size", Kind.SIZE, "Bytes that a compressed archive may hold unpacked (0: any)", default="0"),
    _number("max-concurrent-downloads", "Parallel downloads of a pull", 3),
    _number("max-concurrent-uploads", "Parallel uploads of a push", 5),
    _number("max-download-attempts", "Attempts of a download", 5),
    _map("mirror", "Registry mirrors of any registry: HOST=URL", key="mirrors"),
    _text("metrics-addr", "Address of Prometheus metrics"),
    _number("mtu", "MTU of the default bridge", 1500),
    _number("network-control-plane-mtu", "MTU of the control plane", 1500, state=State.UNUSED),
    _flag("no-new-privileges", "Set no-new-privileges for containers that do not say"),
    _text("no-proxy", "Hosts that need no proxy"),
    _list("node-generic-resource", "Swarm generic resources", key="node-generic-resources", state=State.UNUSED),
    _text("pidfile", "PID file", "/run/argosyd.pid", short="p"),
    _flag("raw-logs", "Plain log lines", state=State.UNUSED, why="log lines have no colours"),
    _list("registry-mirror", "Registry mirrors", key="registry-mirrors"),
    _flag("rootless", "Run without root", state=State.REFUSED, why="argosyd needs root; see --userns-remap"),
    _text("seccomp-profile", "Seccomp profile file, unconfined or builtin", "builtin"),
    _flag("selinux-enabled", "Label containers' processes and files for SELinux"),
    _number("shutdown-timeout", "Seconds that a shutdown may take", 15),
    _text("storage-driver", "overlay2, fuse-overlayfs, btrfs or vfs (default: the one with data, else the first that works)", short="s"),
    _list("storage-opt", "Storage driver options", key="storage-opts"),
    _text("swarm-default-advertise-addr", "Address that swarm mode advertises", state=State.UNUSED),
    _flag("tls", "Use TLS"),
    _text("tlscacert", "Trust client certificates of this CA only", "/etc/argosy/ca.pem"),
    _text("tlscert", "TLS certificate", "/etc/argosy/cert.pem"),
    _text("tlskey", "TLS key", "/etc/argosy/key.pem"),
    _flag("tlsverify", "Use TLS and verify clients"),
    _flag("userland-proxy", "Forward by a small process what nftables cannot", True),
    _text("userland-proxy-path", "Path of docker-proxy", state=State.UNUSED, why="the proxy is built in"),
    _text("userns-remap", "User namespace of containers: default or USER[:GROUP]"),
    _flag("validate", "Check the configuration and exit"),
    _flag("version", "Print the version and quit", short="v"),
)

BY_NAME = {flag.name: flag for flag in FLAGS}
BY_SHORT = {flag.short: flag for flag in FLAGS if flag.short}
BY_KEY = {flag.file_key: flag for flag in FLAGS if flag.name not in ("config-file", "validate", "version")}
