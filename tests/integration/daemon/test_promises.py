"""What a container is promised to be: a name and a host name, a view of an image that nobody else changes, one layer when committed."""

import hashlib
import re
from pathlib import Path

import pytest

from integration.daemon.steps import executed, said, start
from support.daemon import Daemon

pytestmark = pytest.mark.root


def blobs(daemon: Daemon) -> dict[str, str]:
    """Return every blob's name and the digest of what it holds."""
    home = daemon.data_root / "content/blobs/sha256"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in home.rglob("*") if path.is_file()}


def layers(daemon: Daemon) -> dict[str, str]:
    """Return every file of every layer with its digest, mode and owner."""
    found = {}
    for home in daemon.data_root.glob("*/layers"):
        for path in home.rglob("*"):
            status = path.lstat()
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path.relative_to(home))] = f"{status.st_mode:o} {status.st_uid} {hashlib.sha256(data).hexdigest()}"
    return found


def test_the_host_name_is_the_short_id_and_a_name_is_drawn(argosyd: Daemon) -> None:
    made = argosyd.api("POST", "/containers/create", {"Image": "busybox", "Cmd": ["sleep", "60"], "HostConfig": {"Init": True}})
    view = argosyd.api("GET", f"/containers/{made['Id']}/json")
    assert view["Config"]["Hostname"] == made["Id"][:12]
    assert re.fullmatch(r"/[a-z]+_[a-z]+\d?", view["Name"])
    argosyd.api("POST", f"/containers/{made['Id']}/start")
    assert executed(argosyd, made["Id"], "hostname") == (0, made["Id"][:12] + "\n")
    assert executed(argosyd, made["Id"], "cat", "/etc/hostname") == (0, made["Id"][:12] + "\n")


def test_a_commit_makes_exactly_one_more_layer_and_changes_no_other(argosyd: Daemon) -> None:
    before = argosyd.api("GET", "/images/busybox/json")["RootFS"]["Layers"]
    kept, trees = blobs(argosyd), layers(argosyd)
    start(argosyd, "writer", "echo changed >/etc/passwd; rm /www/index.html; mkdir /new; echo made >/new/file; sleep 600")
    assert executed(argosyd, "writer", "sh", "-c", "until [ -e /new/file ]; do sleep 0.1; done")[0] == 0
    argosyd.api("POST", "/commit?container=writer&repo=committed&tag=1", {})
    after = argosyd.api("GET", "/images/committed:1/json")["RootFS"]["Layers"]
    assert after[:-1] == before
    assert len(after) == len(before) + 1
    assert said(argosyd, "cat /new/file; ls /www", image="committed:1") == "made\n"
    assert kept.items() <= blobs(argosyd).items()
    assert trees.items() <= layers(argosyd).items()
    assert all(name == digest for name, digest in blobs(argosyd).items())


def test_siblings_do_not_see_each_others_writes(argosyd: Daemon) -> None:
    trees = layers(argosyd)
    for name in ("one", "two"):
        start(argosyd, name, f"echo {name} >/mine; echo {name} >/etc/passwd; sleep 600")
        assert executed(argosyd, name, "sh", "-c", "until [ -s /etc/passwd ] && [ -s /mine ]; do sleep 0.1; done")[0] == 0
    for name in ("one", "two"):
        assert executed(argosyd, name, "cat", "/mine") == (0, f"{name}\n")
    assert "root:x:0:0" in said(argosyd, "cat /etc/passwd; test ! -e /mine")
    assert trees.items() <= layers(argosyd).items()


def test_a_container_keeps_its_writes_over_a_restart_and_loses_them_with_its_removal(argosyd: Daemon) -> None:
    start(argosyd, "writer", "test -e /kept && echo found; echo x >/kept; sleep 600")
    assert executed(argosyd, "writer", "sh", "-c", "until [ -e /kept ]; do sleep 0.1; done")[0] == 0
    argosyd.api("POST", "/containers/writer/restart?t=1")
    assert executed(argosyd, "writer", "test", "-e", "/kept")[0] == 0
    argosyd.api("DELETE", "/containers/writer?force=1")
    assert not [path for path in argosyd.data_root.rglob("kept") if Path(path).is_file() and "/trash/" not in str(path)]
