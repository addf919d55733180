"""What this machine offers to containers, read from the kernel once and then passed around as a value."""

from argosy.engine.platform.machine import Cgroups, Machine
from argosy.engine.platform.probe import probe

__all__ = ["Cgroups", "Machine", "probe"]
