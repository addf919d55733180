"""Advice about a kernel module."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.doctor.machine import Machine


def remedy(machine: Machine, name: str) -> str:
    """Return what brings a module in."""
    if machine.module(name) == "available":
        return f"sudo modprobe {name} && echo {name} | sudo tee -a /etc/modules-load.d/argosy.conf"
    return "This kernel was built without it: boot your distribution's own kernel (Debian: sudo apt install linux-image-amd64)"
