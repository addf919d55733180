"""Which proxy a URL goes through: daemon.json's over the environment's, NO_PROXY as Go reads it (golang.org/x/net/http/httpproxy). Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from argosy.images.distribution.settings import RegistrySettings

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxies:
    http: str = ""
    https: str = ""
    no_proxy: str = ""

    def choose(self, url: str) -> str | None:
        """Return the proxy's URL, None to connect directly."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        host = (parts.hostname or "").lower()
        if not proxy or _is_local(host) or self._excluded(host, parts.port or _PORTS.get(parts.scheme, 0)):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _excluded(self, host: str, port: int) -> bool:
        return any(_matches(word.strip().lower(), host, port) for word in self.no_proxy.split(",") if word.strip())


def find(settings: RegistrySettings, environ: Mapping[str, str]) -> Proxies:
    """Return the proxies in force."""

    def value(configured: str, name: str) -> str:
        return configured or environ.get(name) or environ.get(name.lower()) or ""

    return Proxies(
        value(settings.http_proxy, "HTTP_PROXY"), value(settings.https_proxy, "HTTPS_PROXY"), value(settings.no_proxy, "NO_PROXY")
    )


def _is_local(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _matches(word: str, host: str, port: int) -> bool:
    if word == "*":
        return True
    if "/" in word:
        address = _address(host)
        try:
            return address is not None and address in ipaddress.ip_network(word, strict=False)
        except ValueError:
            return False
    name, colon, only = word.rpartition(":")
    if colon and only.isdigit() and _address(word) is None:
        if int(only) != port:
            return False
        word = name
    word = word.strip("[]").removeprefix("*")
    if _address(host) is not None:
        return word == host
    return host == word.removeprefix(".") if not word.startswith(".") and host == word else host.endswith(f".{word.removeprefix('.')}")
