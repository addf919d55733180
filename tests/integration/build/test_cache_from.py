"""Steps taken from images that were built elsewhere."""

import tarfile
from pathlib import Path

import pytest

from support.builds import build, run
from support.daemon import Daemon
from support.registry import Server
from support.remains import settled

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

RANDOM = "head -c 16 /dev/urandom"
TEXT = f"FROM busybox\nENV A=b\nRUN {RANDOM} > /r\nCOPY f /f\nRUN --mount=type=cache,target=/c {RANDOM} > /s\nCMD x\n"
FILES = {"f": "data\n"}


@pytest.fixture
def elsewhere(daemons) -> Daemon:
    return daemons()


def carry(source: Daemon, target: Daemon, name: str, folder: Path) -> None:
    """Bring an image from one daemon to the other."""
    archive = folder / "carried.tar"
    assert source.argosy("save", "-o", str(archive), name).returncode == 0
    done = target.argosy("load", "-i", str(archive))
    assert done.returncode == 0, done.stderr


def same_base(source: Daemon, target: Daemon, folder: Path) -> None:
    carry(source, target, "busybox:latest", folder)


def test_an_image_with_inline_cache_gives_every_step(argosyd, elsewhere, tmp_path):
    same_base(elsewhere, argosyd, tmp_path)
    made = build(elsewhere, TEXT, FILES, t="app", buildargs={"BUILDKIT_INLINE_CACHE": "1"})
    assert made.error == "" and "not consumed" not in made.text
    carry(elsewhere, argosyd, "app", tmp_path)
    again = build(argosyd, TEXT, FILES, cachefrom=["type=image,ref=app"], buildargs={"BUILDKIT_INLINE_CACHE": "1"})
    assert (again.error, again.cached, again.id) == ("", 5, made.id)
    assert build(argosyd, TEXT, {"f": "other\n"}, cachefrom=["type=image,ref=app"]).cached == 2
    # What was taken is this host's own from now on.
    assert build(argosyd, TEXT, FILES, buildargs={"BUILDKIT_INLINE_CACHE": "1"}).id == made.id


def test_an_image_without_it_gives_what_its_history_tells(argosyd, elsewhere, tmp_path):
    same_base(elsewhere, argosyd, tmp_path)
    text = TEXT.replace("--mount=type=cache,target=/c ", "")
    made = build(elsewhere, text, FILES, t="app")
    carry(elsewhere, argosyd, "app", tmp_path)
    found = build(argosyd, text, FILES, cachefrom=["app"], t="x")
    # The copy is done, gives the same layer, and what stands on it is found.
    assert (found.error, found.cached) == ("", 4)
    layers = [daemon.api("GET", f"/images/{one}/json")["RootFS"]["Layers"] for daemon, one in ((argosyd, "x"), (elsewhere, made.id))]
    assert layers[0] == layers[1]
    assert build(argosyd, text, {"f": "other"}, cachefrom=["app"]).cached == 2
    # RUN's words do not tell what it mounts.
    mounted = build(argosyd, TEXT, FILES, cachefrom=["app"])
    assert mounted.cached < 4 and mounted.error == ""


def test_a_registry_s_image_is_fetched_for_it(argosyd, elsewhere, tmp_path):
    same_base(elsewhere, argosyd, tmp_path)
    with Server(tmp_path / "registry", netns=argosyd.name) as server:
        name = f"{server.address}/app:1"
        build(elsewhere, TEXT, FILES, t=name, buildargs={"BUILDKIT_INLINE_CACHE": "1"})
        carry(elsewhere, argosyd, name, tmp_path)
        assert argosyd.argosy("push", name).returncode == 0
        argosyd.api("DELETE", f"/images/{name}")
        argosyd.api("POST", "/build/prune?all=1")
        found = build(argosyd, TEXT, FILES, cachefrom=[f"type=registry,ref={name}"])
        assert (found.error, found.cached) == ("", 5)
        missing = build(argosyd, TEXT, FILES, cachefrom=[f"type=registry,ref={server.address}/nosuch"], nocache=1)
        assert missing.error == "" and f"[Warning] the build cache of {server.address}/nosuch is not used" in missing.text


def test_our_own_client_writes_and_reads_caches(argosyd, elsewhere, tmp_path):
    same_base(elsewhere, argosyd, tmp_path)
    place, layout = tmp_path / "context", tmp_path / "layout"
    place.mkdir()
    (place / "Dockerfile").write_text(TEXT)
    (place / "f").write_text("data\n")
    assert elsewhere.argosy("build", "--cache-to", "type=inline", "-t", "app", str(place)).returncode == 0
    assert elsewhere.argosy("save", "-o", str(tmp_path / "app.tar"), "app").returncode == 0
    with tarfile.open(tmp_path / "app.tar") as tar:
        tar.extractall(layout)
    done = argosyd.argosy("build", "--cache-from", f"type=local,src={layout}", "--progress", "plain", str(place))
    assert done.returncode == 0 and done.stdout.count("CACHED") == 5, done.stdout + done.stderr
    for flag, words in {
        "--cache-from=type=gha": "cache of type gha is not supported",
        "--cache-from=type=local,src=/nosuch": "cache source: /nosuch is not an OCI layout",
        "--cache-from=type=local": "it needs a directory",
        "--cache-to=type=registry,ref=x": "cache of type registry cannot be written: use type=inline",
    }.items():
        failed = argosyd.argosy("build", flag, str(place))
        assert failed.returncode != 0 and words in failed.stderr, flag


def test_names_alone_limit_the_cache_to_what_they_hold(argosyd):
    build(argosyd, TEXT, FILES, t="app")
    assert build(argosyd, TEXT, FILES, cachefrom=["app"]).cached == 5
    assert build(argosyd, TEXT, FILES, cachefrom=["busybox"]).cached == 0
    assert build(argosyd, TEXT, FILES, cachefrom=["type=image,ref=busybox"]).cached == 5
    refused = build(argosyd, TEXT, FILES, cachefrom=["type=s3,bucket=x"])
    assert refused.status == 400 and "cache of type s3 is not supported" in refused.error
    assert settled(lambda: run(argosyd, "app", "cat", "/f"), "data\n") == "data\n"
