"""Whether programs of a platform can be executed here: by the processor itself, or by a handler of binfmt_misc. Pure.

https://docs.kernel.org/admin-guide/binfmt-misc.html. A handler is told by the machine in the ELF header that it matches (elf(5),
``e_machine`` at byte 18), as its name may be anything.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from argosy.build.dockerfile.args import Platform

PLACE = "/proc/sys/fs/binfmt_misc"
_MACHINES = {
    "386": (3, "little"), "amd64": (62, "little"), "arm": (40, "little"), "arm64": (183, "little"), "loong64": (258, "little"),
    "mips64le": (8, "little"), "ppc64le": (21, "little"), "riscv64": (243, "little"), "s390x": (22, "big"),
}  # fmt: skip
_NATIVE = {"amd64": ("386",)}
"""What a processor runs besides its own."""
_QEMU = {"386": "i386", "amd64": "x86_64", "arm64": "aarch64", "loong64": "loongarch64", "mips64le": "mips64el"}


def refusal(platform: Platform, own: str, handlers: Iterable[str]) -> str:
    """Return why a program cannot be executed, and what to do; empty if it can.

    ``own``: this host's architecture; ``handlers``: what the kernel tells of each handler, the text of its file in `PLACE`.
    """
    wanted = platform.architecture
    if platform.os != "linux":
        return f"programs for {platform} cannot run on linux"
    if wanted in ("", own, *_NATIVE.get(own, ())):
        return ""
    found = [text for text in handlers if _is_for(text, wanted)]
    if any("F" in _field(text, "flags:") for text in found):
        return ""
    handler = f"qemu-{_QEMU.get(wanted, wanted)}"
    if found:
        return (
            f"programs for {platform} cannot run here: the binfmt_misc handler for {wanted} is not registered with the flag F, so its "
            f"interpreter {_field(found[0], 'interpreter')} would have to be in the image; the package qemu-user-static registers it so"
        )
    return (
        f"programs for {platform} cannot run on linux/{own}: no binfmt_misc handler for {wanted} ({handler}) is enabled; "
        "install qemu-user-static (and binfmt-support), or build on such a host"
    )


def runnable(own: str, handlers: Iterable[str]) -> list[str]:
    """Return the platforms whose programs can be executed, this host's first: ``linux/amd64``, …; arguments as of `refusal`."""
    texts = [text for text in handlers if "F" in _field(text, "flags:")]
    names = [own, *_NATIVE.get(own, ()), *(name for name in _MACHINES if any(_is_for(text, name) for text in texts))]
    return [f"linux/{name}" for name in dict.fromkeys(names)]


def _is_for(text: str, architecture: str) -> bool:
    machine = _MACHINES.get(architecture)
    magic = re.search(r"^magic ([0-9a-f]+)$", text, re.MULTILINE)
    if machine is None or magic is None or not text.startswith("enabled"):
        return False
    number, order = machine
    head = bytes.fromhex(magic[1])
    return head[:4] == b"\x7fELF" and head[18:20] == number.to_bytes(2, "little" if order == "little" else "big")


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name} ?(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""
