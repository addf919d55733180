"""An image that lays out modules and libraries where a helper of ours might look for its own: nothing of it runs on the host."""

import io
import tarfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.daemon.steps import executed, log, start
from support.daemon import Daemon
from support.images import add_file, add_folder, busybox_tar

pytestmark = pytest.mark.root

SPRUNG = "argosy-trap-sprung"
_PROGRAM = f"open('/{SPRUNG}', 'a').write(__file__)\nraise SystemExit(99)\n".encode()
_MODULES = ("encodings/__init__.py", "encodings/utf_8.py", "encodings/idna.py", "encodings/unicode_escape.py", "json/__init__.py")
_MODULES += (
    "json.py",
    "os.py",
    "site.py",
    "sitecustomize.py",
    "usercustomize.py",
    "stat.py",
    "codecs.py",
    "pwd.py",
    "tarfile.py",
    "struct.py",
)
_LIBRARIES = ("libnss_files.so.2", "libnss_dns.so.2", "libnss_compat.so.2", "libnss_systemd.so.2", "libc.so.6", "libseccomp.so.2")
_LIBRARIES += ("ld-linux-x86-64.so.2",)


def places() -> Iterator[str]:
    """Return the folders where our interpreter looks, on this host, and where any would."""
    yield from ("", "/tmp", "/root", "/usr/lib/python3.11", "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/site-packages")
    yield from (str(folder) for folder in Path(__file__).resolve().parents if (folder / "src/argosy").is_dir())
    yield from (str(folder / "src") for folder in Path(__file__).resolve().parents if (folder / "src/argosy").is_dir())


def trap_tar() -> bytes:
    """Return a root filesystem full of traps."""
    stream = io.BytesIO(busybox_tar())
    with tarfile.open(fileobj=stream, mode="a") as tar:
        for place in places():
            for module in _MODULES:
                add_file(tar, f"{place}/{module}".lstrip("/"), _PROGRAM)
        for folder in ("lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
            add_folder(tar, folder)
            for library in _LIBRARIES:
                # Not a library at all: whoever loads it fails, and the test with it.
                add_file(tar, f"{folder}/{library}", b"\x7fELF a trap", 0o755)
        add_file(tar, "etc/nsswitch.conf", b"passwd: files systemd compat\ngroup: files systemd compat\nhosts: files dns\n")
        add_file(tar, "etc/ld.so.preload", b"/lib/libnss_files.so.2\n")
    return stream.getvalue()


def test_modules_and_libraries_of_an_image_never_run_on_the_host(argosyd: Daemon) -> None:
    query = urllib.parse.urlencode({"fromSrc": "-", "repo": "trap", "tag": "1"})
    status, _, data = argosyd.api.raw("POST", f"/images/create?{query}", trap_tar(), {"Content-Type": "application/x-tar"})
    assert status == 200 and b"errorDetail" not in data, data
    argosyd.api("POST", "/volumes/create", {"Name": "filled"})
    start(argosyd, "trap", "id -u; sleep 600", image="trap:1", Binds=["filled:/etc"])
    for user in ("", "root", "www-data", "postgres:staff"):
        body = {"Cmd": ["id", "-u"], "AttachStdout": True, "User": user}
        execution = argosyd.api("POST", "/containers/trap/exec", body)["Id"]
        argosyd.api("POST", f"/exec/{execution}/start", {"Detach": False})
        assert argosyd.api("GET", f"/exec/{execution}/json")["ExitCode"] == 0, user
    for path in ("/usr", "/etc", "/json.py"):
        argosyd.api("GET", f"/containers/trap/archive?path={path}", timeout=120)
    status, _, data = argosyd.api.raw("PUT", "/containers/trap/archive?path=/", _small_tar(), {"Content-Type": "application/x-tar"})
    assert status == 200, data
    argosyd.api("GET", "/containers/trap/changes")
    argosyd.api("GET", "/containers/trap/top")
    argosyd.api("GET", "/containers/trap/export", timeout=120)
    argosyd.api("GET", "/containers/trap/json?size=1")
    argosyd.api("POST", "/commit?container=trap&repo=trap&tag=2", {})
    argosyd.api("GET", "/images/get?names=trap:2", timeout=120)
    start(argosyd, "again", "id -u; sleep 600", image="trap:2")
    assert executed(argosyd, "again", "cat", "/put")[1] == "put\n"
    assert log(argosyd, "trap") == "0\n"
    assert not Path(f"/{SPRUNG}").exists()
    assert list(argosyd.data_root.rglob(SPRUNG)) == []
    changes = {change["Path"] for change in argosyd.api("GET", "/containers/trap/changes")}
    assert changes <= {"/put"}, changes


def _small_tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        add_file(tar, "put", b"put\n")
    return stream.getvalue()
