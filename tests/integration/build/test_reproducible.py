"""With SOURCE_DATE_EPOCH the same build gives the same image: again, on another data root, on another storage driver."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.builds import build
from support.daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

EPOCH = 1_600_000_000
TEXT = (
    "FROM busybox\nWORKDIR /srv/dir\nENV A=b\n"
    "RUN echo x > /f; mkdir -p /d/e; ln -s f /l; ln /f /h; chmod 4755 /d; chown 5:6 /d/e; touch -d @1000000000 /old; touch /d/new\n"
    "RUN rm /f; rm -r /d/e; echo y > /d/new; mkdir /t; mv /old /t/\n"
    "COPY a dir /c/\nCOPY --link --chmod=u=rwX,go=rX dir /srv/linked\nCOPY --chown=7:8 a /srv/\nADD packed.tar /srv/dir\n"
    'USER 5\nLABEL x=y\nCMD ["true"]\n'
)


def files(mtime: int) -> dict[str, tarfile.TarInfo | str | bytes]:
    """Return a context; its directory has the time that this checkout was made."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo("in/side")
        info.size, info.mtime = 3, 1_700_000_000
        tar.addfile(info, io.BytesIO(b"abc"))
    directory = tarfile.TarInfo("dir")
    directory.type, directory.mode, directory.mtime = tarfile.DIRTYPE, 0o750, mtime
    return {"a": "1", "dir": directory, "dir/b": "2", "packed.tar": packed.getvalue()}


def told(daemon: Daemon, identity: str, path: Path) -> list[str]:
    """Return what an image is made of, line by line, so that a difference can be read; its archive is at ``path`` afterwards."""
    view = daemon.api("GET", f"/images/{identity}/json")
    lines = [view["Created"]]
    lines += [f"{entry['CreatedBy']} {entry['Created']}" for entry in daemon.api("GET", f"/images/{identity}/history")]
    assert daemon.argosy("save", "-o", str(path), identity).returncode == 0
    with tarfile.open(path) as saved:
        manifest = saved.extractfile("manifest.json")
        assert manifest
        for layer in json.load(manifest)[0]["Layers"]:
            with tarfile.open(fileobj=saved.extractfile(layer)) as tar:
                lines += [f"{layer[-8:]} {_line(member)}" for member in tar]
    return [line.partition(" ")[2] if line[8:9] == " " else line for line in lines] + view["RootFS"]["Layers"]


def _line(one: tarfile.TarInfo) -> str:
    return f"{one.name} {one.type!r} {one.mode:o} {one.uid}:{one.gid} {one.mtime} {one.size} {one.linkname} {dict(one.pax_headers)}"


def built(daemon: Daemon, mtime: int) -> str:
    found = build(daemon, TEXT, files(mtime), buildargs={"SOURCE_DATE_EPOCH": str(EPOCH)}, nocache=1)
    assert found.error == ""
    return found.id


@pytest.fixture
def other(daemons: Callable[..., Daemon], request: pytest.FixtureRequest) -> Daemon:
    """Another daemon, on the driver of the parameter."""
    return daemons(arguments=["--storage-driver", request.param], busybox_image=False)


# Others have members that these have not: fuse-overlayfs marks each directory that it makes as opaque, and a snapshot of btrfs
# tells a file whose other name was removed for changed.
@pytest.mark.parametrize("other", ["overlay2", "vfs"], indirect=True)
def test_on_another_data_root_and_driver(argosyd, other, tmp_path):
    base = tmp_path / "base.tar"
    assert argosyd.argosy("save", "-o", str(base), "busybox").returncode == 0
    assert other.argosy("load", "-i", str(base)).returncode == 0
    now = int(time.time())
    first, second = built(argosyd, now), built(argosyd, now + 7)
    assert first == second
    third = built(other, now + 3600)
    assert told(other, third, tmp_path / "other.tar") == told(argosyd, first, tmp_path / "one.tar")
    assert third == first
    indexes = []
    for name in ("one.tar", "other.tar"):
        with tarfile.open(tmp_path / name) as tar:
            index = tar.extractfile("index.json")
            assert index
            indexes.append(json.load(index)["manifests"][0]["digest"])
    assert indexes[0] == indexes[1]
