"""What the daemon's configuration says about registries."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. Nothing outward is without a limit."""

    connect: float = 10
    """For name, connection and TLS."""
    answer: float = 30
    """Between two pieces of what a registry sends, its first line included."""
    store: float = 300
    """For the answer to a whole upload, which a registry hashes and stores before it answers."""


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URLs by the registry's host; those of ``docker.io`` are ``registry-mirrors``."""
    insecure: tuple[str, ...] = ()
    """Hosts, host:port or networks. Loopback is understood."""
    certificates: tuple[str, ...] = ("/etc/argosy/certs.d", "/etc/docker/certs.d")
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    downloads: int = 3
    uploads: int = 5
    attempts: int = 5
    retry_delay: float = 5
    """Seconds before the second attempt; the third waits twice as long, and so on."""
    timeouts: Timeouts = Timeouts()
    user_agent: str = "argosy"
