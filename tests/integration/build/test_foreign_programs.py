"""Programs of another processor in builds and containers, through a handler of binfmt_misc: qemu's, with Debian's busybox for arm64."""

import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.builds import build
from support.daemon import Daemon
from support.debian import unpacked

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

PLACE = Path("/proc/sys/fs/binfmt_misc")
HANDLER = "argosy-test-arm64"
# The head of every little-endian 64-bit ELF program for machine 183 (elf(5)); a shared object (3) is one too.
MAGIC = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00"
MASK = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff\xff\xff"
DOCKERFILE = 'FROM scratch\nCOPY --chmod=755 busybox /bin/\nRUN ["/bin/busybox", "true"]\n'


def escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


@pytest.fixture
def busybox() -> bytes:
    """Return a static busybox for arm64."""
    if platform.machine() != "x86_64":
        pytest.skip("the foreign programs of this test are those of arm64 on x86-64")
    packages = unpacked("busybox-static", architecture="arm64")
    if packages is None:
        pytest.skip("needs the Debian package busybox-static for arm64")
    return next(path for path in (packages / "bin/busybox", packages / "usr/bin/busybox") if path.exists()).read_bytes()


@pytest.fixture(params=["F", ""])
def handler(request: pytest.FixtureRequest) -> Iterator[str]:
    """Register qemu for arm64 with or without the flag F, and take it back; return the flag."""
    packages = unpacked("qemu-user-static")
    if packages is None:
        pytest.skip("needs the Debian package qemu-user-static")
    if any(PLACE.glob("qemu-aarch64*")):
        pytest.skip("this machine has a handler for arm64 of its own")
    mounted = not (PLACE / "register").exists()
    if mounted and subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(PLACE)], capture_output=True).returncode:
        pytest.skip("this kernel has no binfmt_misc")
    try:
        (PLACE / "register").write_text(
            f":{HANDLER}:M::{escaped(MAGIC)}:{escaped(MASK)}:{packages}/usr/bin/qemu-aarch64-static:{request.param}"
        )
        yield request.param
    finally:
        if (PLACE / HANDLER).exists():
            (PLACE / HANDLER).write_text("-1")
        if mounted:
            subprocess.run(["umount", str(PLACE)], check=True)


@pytest.mark.parametrize("handler", ["F"], indirect=True)
@pytest.mark.usefixtures("handler")
def test_a_build_and_its_container_run_them(argosyd: Daemon, busybox: bytes) -> None:
    text = DOCKERFILE + 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox uname -m > /made"]\n'
    found = build(argosyd, text, {"busybox": busybox}, platform="linux/arm64", t="foreign")
    assert found.error == ""
    assert argosyd.api("GET", "/images/foreign/json")["Architecture"] == "arm64"
    ran = argosyd.argosy("run", "--rm", "foreign", "/bin/busybox", "sh", "-c", "/bin/busybox cat /made; /bin/busybox uname -m")
    assert (ran.stdout, ran.returncode) == ("aarch64\naarch64\n", 0), ran.stderr
    inside = argosyd.argosy("run", "-d", "--name", "other", "foreign", "/bin/busybox", "sleep", "100")
    assert inside.returncode == 0
    assert argosyd.argosy("exec", "other", "/bin/busybox", "uname", "-m").stdout == "aarch64\n"


@pytest.mark.parametrize("handler", [""], indirect=True)
@pytest.mark.usefixtures("handler")
def test_a_handler_that_needs_its_interpreter_in_the_image_is_refused(argosyd: Daemon, busybox: bytes) -> None:
    found = build(argosyd, DOCKERFILE, {"busybox": busybox}, platform="linux/arm64")
    assert "the binfmt_misc handler for arm64 is not registered with the flag F" in found.error
