"""A small file system of a test's own: a file, a loop device, a mount, all gone at the end."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_MAKE = {"btrfs": ["mkfs.btrfs", "-q"], "ext4": ["mkfs.ext4", "-q", "-m", "0"], "xfs": ["mkfs.xfs", "-q"]}


@contextmanager
def loop(folder: Path, kind: str, megabytes: int, options: Sequence[str] = (), mounted: str = "") -> Iterator[Path]:
    """Yield the mount point of a new file system of that size; its file lies in ``folder``. Skips where it cannot be made.

    ``options`` are those of its mkfs, ``mounted`` those of mount(8).
    """
    make = _MAKE[kind]
    known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    if shutil.which(make[0], path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        pytest.skip(f"needs {make[0]}")
    if kind not in known and subprocess.run(["modprobe", kind], capture_output=True).returncode:
        pytest.skip(f"this kernel has no {kind}")
    if not Path("/dev/loop-control").exists():
        # Without udev nobody makes the node that would load it when it is opened.
        subprocess.run(["modprobe", "loop"], capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    image, point = folder / f"{kind}.img", folder / f"{kind}.mnt"
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run([*make, *options, str(image)], check=True, capture_output=True)
    point.mkdir()
    subprocess.run(["mount", "-o", ",".join(filter(None, ("loop", mounted))), str(image), str(point)], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", str(point)], check=True)
        image.unlink()
        point.rmdir()
