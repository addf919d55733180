"""Where a registry may be reached, in the order in which it is tried. Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from argosy.images.distribution.settings import RegistrySettings
from argosy.oci.reference import DEFAULT_DOMAIN

HUB = "registry-1.docker.io"
HUB_INDEX = "index.docker.io"
_HUB_NAMES = (DEFAULT_DOMAIN, HUB_INDEX, HUB)
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    """Scheme, host and a prefix of the path if a mirror has one; no slash at the end."""
    verify: bool = True
    """False: any certificate will do."""
    mirror: bool = False

    @property
    def host(self) -> str:
        """Host and port as they stand in the URL: the name of a folder under certs.d."""
        return urlsplit(self.url).netloc


def is_hub(domain: str) -> bool:
    return domain in _HUB_NAMES


def for_pull(domain: str, settings: RegistrySettings) -> tuple[Endpoint, ...]:
    """Return the mirrors of a registry and then itself."""
    return (*_mirrors(domain, settings), *for_push(domain, settings))


def for_push(domain: str, settings: RegistrySettings) -> tuple[Endpoint, ...]:
    """Return the registry itself: https, and http after it where that is allowed."""
    if is_hub(domain):
        return (Endpoint(f"https://{HUB}"),)
    return tuple(_both(domain, settings))


def _mirrors(domain: str, settings: RegistrySettings) -> Iterable[Endpoint]:
    key = DEFAULT_DOMAIN if is_hub(domain) else domain
    for url in settings.mirrors.get(key, ()):
        if "://" in url:
            parts = urlsplit(url)
            yield Endpoint(url.rstrip("/"), verify=not is_insecure(parts.netloc, settings.insecure), mirror=True)
        else:
            for found in _both(url.rstrip("/"), settings):
                yield Endpoint(found.url, found.verify, mirror=True)


def _both(host: str, settings: RegistrySettings) -> Iterable[Endpoint]:
    if not is_insecure(host, settings.insecure):
        yield Endpoint(f"https://{host}")
        return
    yield Endpoint(f"https://{host}", verify=False)
    yield Endpoint(f"http://{host}", verify=False)


def is_insecure(host: str, insecure: Iterable[str]) -> bool:
    """Return whether ``host[:port]`` may be spoken to without a good certificate.

    Networks match addresses only: a name would have to be resolved, and whoever answers for it could choose.
    """
    insecure = tuple(insecure)
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or host in insecure or name in insecure:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return any(address in network for network in _networks((*_LOOPBACK, *insecure)))


def _networks(words: Iterable[str]) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for word in words:
        if "/" in word:
            try:
                yield ipaddress.ip_network(word, strict=False)
            except ValueError:
                continue
