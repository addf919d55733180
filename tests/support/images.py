"""Root filesystems small enough to be made for a test."""

import functools
import io
import subprocess
import tarfile
from pathlib import Path

FOLDERS = ("bin", "dev", "etc", "home", "opt", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/sbin", "var", "var/opt", "www")
PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n"
    "www-data:x:33:33:www-data:/var/www:/bin/false\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"
)
GROUP = "root:x:0:\ndaemon:x:1:\nbin:x:2:\naudio:x:29:\nwww-data:x:33:\nstaff:x:50:\npostgres:x:70:\nnogroup:x:65534:\n"


def busybox() -> Path | None:
    """Return the machine's static busybox (package busybox-static), None without one."""
    return next((path for path in map(Path, ("/bin/busybox", "/usr/bin/busybox")) if path.exists()), None)


def add_file(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    """Append a regular file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    tar.addfile(member, io.BytesIO(data))


def add_folder(tar: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    """Append a folder."""
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, mode
    tar.addfile(member)


def add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    """Append a symbolic link."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    tar.addfile(member)


@functools.cache
def busybox_tar() -> bytes:
    """Return a root filesystem of one program with every applet in /bin, users and groups as such images have them."""
    program = busybox()
    assert program, "busybox-static is not installed"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in FOLDERS:
            add_folder(tar, name, {"tmp": 0o1777, "root": 0o700}.get(name, 0o755))
        add_file(tar, "bin/busybox", program.read_bytes(), 0o755)
        applets = subprocess.run([str(program), "--list"], check=True, capture_output=True, text=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                add_link(tar, f"bin/{applet}", "busybox")
        add_file(tar, "etc/passwd", PASSWD.encode())
        add_file(tar, "etc/group", GROUP.encode())
        add_file(tar, "www/index.html", b"<h1>It works: this page comes from a container.</h1>\n")
    return stream.getvalue()
