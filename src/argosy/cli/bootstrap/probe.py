"""Whether an archive has a suite: apt of an image that asks for one that is not there fails as a whole."""

from __future__ import annotations

import os
import urllib.request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.cli.bootstrap.archives import Source

_SECONDS = 20


def has(source: Source, environ: Mapping[str, str]) -> bool:
    """Ask the archive for the suite's release file; False also where the archive cannot be reached."""
    proxies = {scheme: environ[f"{scheme}_proxy"] for scheme in ("http", "https", "ftp") if environ.get(f"{scheme}_proxy")}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    for name in ("InRelease", "Release"):
        url = f"{source.uri}/dists/{source.suites[0]}/{name}"
        if url.startswith("file:"):
            if os.path.exists(url.removeprefix("file:").replace("//", "/")):
                return True
            continue
        try:
            with opener.open(url, timeout=_SECONDS):
                return True
        except (OSError, ValueError):
            continue
    return False
