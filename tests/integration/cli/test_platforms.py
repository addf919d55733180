"""Images of several platforms, as docker's command line and ours show and handle them on one daemon.

A Docker to compare with (ARGOSY_TEST_PEER) needs the containerd image store.
"""

import re

import pytest

from fakes.registry import Registry, layer

from .conftest import Bench  # type: ignore[import-not-found]

pytestmark = pytest.mark.root


@pytest.fixture
def multi(both: Bench) -> str:
    """An image of two platforms and an attestation that are here, and a third that is not; another name for it."""
    made = Registry()
    amd64 = made.add_image("m", "", [layer("amd")], Cmd=["sh"])
    arm64 = made.add_image("m", "", [layer("arm")], architecture="arm64", variant="v8", Cmd=["sh"])
    away = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "ab" * 32, "size": 300}
    made.add_index(
        "m",
        "1",
        made.described("m", amd64, platform={"architecture": "amd64", "os": "linux"}),
        made.described("m", arm64, platform={"architecture": "arm64", "os": "linux", "variant": "v8"}),
        {**away, "platform": {"architecture": "s390x", "os": "linux"}},
        made.add_proof("m", amd64),
    )
    name = f"{both.name('multi')}:1"
    both.argosy.out("load", stdin=made.layout("m", "1", f"docker.io/library/{name}"))
    both.argosy.out("tag", name, f"{both.name('other')}/with/a/longer/name:1")
    return name


def plain(text: str) -> list[str]:
    """Return lines without colours, without docker's warning."""
    shown = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    return [line for line in shown if line and not line.startswith("WARNING")]


def test_the_tree_is_dockers(both: Bench, multi: str) -> None:
    container = both.name("c")
    both.docker.out("create", "--name", container, "--platform", "linux/arm64", multi)
    words = ["images", "--tree", "--filter", f"reference={both.mark}*"]
    ours, theirs = plain(both.argosy.out(*words)), plain(both.docker.out(*words))
    # docker takes the image's disk usage from a field that is a sum in its own store only.
    assert [re.sub(r" +\S+B( +\S+B   U)", r" SUM\1", line) for line in ours] == [
        re.sub(r" +\S+B( +\S+B   U)", r" SUM\1", line) for line in theirs
    ]
    rows = [line.split() for line in ours if "linux/" in line]
    assert [row[1] for row in rows] == ["linux/amd64", "linux/arm64/v8", "linux/s390x"]
    assert [row[-1] for row in rows] == [rows[0][-1], "U", "0B"]
    for flag in ("-q", "--no-trunc", "--digests"):
        refused = both.argosy("images", "--tree", flag)
        assert (refused.returncode, refused.stderr) == (1, both.docker("images", "--tree", flag).stderr)


def test_one_platform_is_inspected_saved_and_loaded(both: Bench, multi: str) -> None:
    for tool in (both.argosy, both.docker):
        assert tool.out("image", "inspect", "--platform", "linux/arm64", "--format", "{{.Architecture}}", multi) == "arm64"
        assert tool.out("image", "inspect", "--format", "{{.Architecture}}", multi) == "amd64"
        assert len(tool.out("history", "-q", "--platform", "linux/arm64", multi).splitlines()) <= 1
        refused = tool("image", "inspect", "--platform", "linux/s390x", multi)
        words = f"image with reference {multi} was found but does not provide the specified platform (linux/s390x)"
        assert (refused.returncode, words in refused.stderr.decode()) == (1, True)
    one = both.argosy("save", "--platform", "linux/arm64", multi)
    both.argosy.out("rmi", "-f", multi, f"{both.name('other')}/with/a/longer/name:1")
    assert both.docker.out("load", stdin=one.stdout) == f"Loaded image: {multi}"
    assert both.docker.out("image", "inspect", "--format", "{{.Architecture}}", multi) == "arm64"


def test_one_platform_is_removed(both: Bench, multi: str) -> None:
    ours, theirs = (tool("rmi", "--platform", "linux/arm64", multi) for tool in (both.argosy, both.docker))
    assert ours.returncode == theirs.returncode == 1
    assert "Content will be removed from all images referencing this variant." in ours.stderr.decode()
    shown = both.docker.out("rmi", "-f", "--platform", "linux/arm64", multi)
    assert shown.startswith("Deleted: sha256:")
    assert both.argosy("image", "inspect", "--platform", "linux/arm64", multi).returncode == 1
    assert both.argosy.out("image", "inspect", "--format", "{{.Architecture}}", multi) == "amd64"
