"""What this machine's SELinux policy calls containers."""

import re
from pathlib import Path

from argosy.engine.selinux import Policy, policy


def container_policy(root: Path = Path("/")) -> Policy | None:
    """Return it from ``lxc_contexts`` of the policy that selinux/config names; None where there is none (selinux_config(5))."""
    kind = re.search(r"^\s*SELINUXTYPE\s*=\s*(\S+)", _read(root / "etc/selinux/config"), re.MULTILINE)
    return policy(_read(root / "etc/selinux" / kind[1] / "contexts/lxc_contexts")) if kind else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
