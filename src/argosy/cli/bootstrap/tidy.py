"""What a root file system that debootstrap has made gets and loses before it is an image."""

from __future__ import annotations

import shutil
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Lists and caches, logs of the making, and backups of files that the making changed.
_GONE = (
    *("var/lib/apt/lists/*", "var/cache/apt/*", "var/cache/debconf/*-old", "var/lib/dpkg/*-old", "var/cache/ldconfig/aux-cache"),
    *("var/log/*.log", "var/log/apt/*", "etc/*-", "run/*", "tmp/*", "var/tmp/*", "dev/*", "proc/*", "sys/*", "debootstrap"),
)
# debootstrap copies them from the machine it runs on; an image is no machine.
_EMPTIED = ("etc/hostname", "etc/resolv.conf", "etc/machine-id")
_POLICY = """\
#!/bin/sh
# Services are not started while packages are installed: a container starts its own program (policy-rc.d of Debian Policy 9.3.3).
exit 101
"""
_APT = """\
// An image keeps no packages that are installed already, and no caches that apt can make again.
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
"""
# A step's files are synced as a whole when it has ended.
_DPKG = "force-unsafe-io\n"
_CHECKS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")


def tidy(root: Path, sources: str, apt: Mapping[str, str]) -> None:
    """Make the tree small and quiet, with these apt sources.

    ``apt`` are the machine's own settings when the mirror is its own: a mirror that stands still needs the checks of dates off
    in the image as well. Names in lower case.
    """
    for pattern in _GONE:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    # /var/lock leads there, and programs count on it.
    (root / "run/lock").mkdir(parents=True, exist_ok=True)
    (root / "run/lock").chmod(0o1777)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True, exist_ok=True)
    for name in _EMPTIED:
        path = root / name
        path.unlink(missing_ok=True)
        path.touch(0o644)
    policy = root / "usr/sbin/policy-rc.d"
    _write(policy, _POLICY)
    policy.chmod(0o755)
    checks = "".join(f'{name} "false";\n' for name in _CHECKS if apt.get(name.lower()) in ("false", "0", "no"))
    _write(root / "etc/apt/apt.conf.d/90argosy-image", _APT + checks)
    _write(root / "etc/dpkg/dpkg.cfg.d/argosy-image", _DPKG)
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    _write(root / "etc/apt/sources.list.d/image.sources", sources)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)
