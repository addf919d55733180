"""Named contexts: what FROM, COPY --from and RUN --mount from= know besides stages and images."""

import tarfile
from pathlib import Path

import pytest

from support.builds import build, context, run
from support.remains import assert_nothing_left
from support.web import commit, git_server, web

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

TEXT = "FROM busybox\nCOPY --from=lib . /lib/\nRUN --mount=from=lib,target=/m cat /m/a > /seen\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "context"
    found.mkdir()
    (found / "Dockerfile").write_text(TEXT)
    return found


@pytest.fixture
def library(tmp_path: Path) -> Path:
    found = tmp_path / "library"
    (found / "sub").mkdir(parents=True)
    (found / "a").write_text("from the library\n")
    (found / "sub/b").write_text("below\n")
    (found / "left-out").write_text("")
    (found / ".dockerignore").write_text("left-out\n")
    return found


def test_a_directory_goes_along(argosyd, place, library):
    flags = ("--build-context", f"lib={library}")
    done = argosyd.argosy("build", "-t", "x", *flags, str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(argosyd, "x", "sh", "-c", "cat /seen /lib/sub/b; ls -A /lib") == "from the library\nbelow\n.dockerignore\na\nsub\n"
    assert argosyd.argosy("build", "--progress", "plain", *flags, str(place)).stdout.count("CACHED") == 2
    # It is no part of the context itself.
    (place / "Dockerfile").write_text("FROM busybox\nCOPY . /all/\nRUN ls -A /all\n")
    assert " Dockerfile\n" in (seen := argosyd.argosy("build", "--progress", "plain", *flags, str(place)).stdout)
    assert ".contexts" not in seen and "library" not in seen
    assert_nothing_left(argosyd)


def test_a_directory_goes_before_a_stage_or_an_image_of_its_name(argosyd, place, library):
    (place / "Dockerfile").write_text("FROM busybox AS lib\nRUN false\nFROM busybox\nCOPY --from=lib /a /a\nCOPY --from=nosuch:1 /a /b\n")
    flags = ("--build-context", f"lib={library}", "--build-context", f"nosuch:1={library}")
    done = argosyd.argosy("build", "-t", "x", *flags, str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(argosyd, "x", "cat", "/a", "/b") == "from the library\n" * 2


def test_a_directory_is_a_base(argosyd, place, library):
    (place / "Dockerfile").write_text("FROM Lib\nCOPY --from=busybox / /\nRUN cat /a > /seen\n")
    done = argosyd.argosy("build", "-t", "x", "--build-context", f"lib={library}", str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(argosyd, "x", "cat", "/seen", "/sub/b") == "from the library\nbelow\n"


def test_an_image_takes_the_place_of_another(argosyd, place):
    build(argosyd, "FROM busybox\nRUN echo pinned > /pinned\nENV P=1\n", t="pinned:1")
    (place / "Dockerfile").write_text(
        "FROM nosuch/base:latest AS one\nRUN cat /pinned; echo $P\nFROM busybox\nCOPY --from=other /pinned /p\n"
    )
    flags = ("--build-context", "nosuch/base:latest=docker-image://pinned:1", "--build-context", "other=docker-image://pinned:1")
    done = argosyd.argosy("build", "--progress", "plain", "--target", "one", *flags, str(place))
    assert done.returncode == 0 and " pinned\n" in done.stdout and " 1\n" in done.stdout, done.stdout + done.stderr
    assert argosyd.argosy("build", *flags, str(place)).returncode == 0


def test_a_layout_is_loaded(argosyd, place, tmp_path):
    build(argosyd, "FROM busybox\nRUN echo laid > /a\n", t="laid:1")
    argosyd.argosy("save", "-o", str(tmp_path / "laid.tar"), "laid:1")
    argosyd.api("DELETE", "/images/laid:1")
    with tarfile.open(tmp_path / "laid.tar") as tar:
        tar.extractall(tmp_path / "layout")
    (place / "Dockerfile").write_text("FROM base\nRUN cat /a\nCOPY --from=base /a /b\n")
    done = argosyd.argosy("build", "--progress", "plain", "--build-context", f"base=oci-layout://{tmp_path}/layout", str(place))
    assert done.returncode == 0 and " laid\n" in done.stdout, done.stdout + done.stderr


def test_what_a_url_gives_is_fetched_when_it_is_needed(argosyd, place, tmp_path):
    repositories = tmp_path / "repositories"
    commit(repositories / "lib.git", sub__a="from git\n")
    with web(argosyd, tmp_path / "served") as served, git_server(argosyd, repositories) as url:
        archive = served.put("lib.tar", context({"a": "from a tar\n"}))
        single = served.put("a", "one file\n")
        for source, content in ((archive, "from a tar\n"), (single, "one file\n"), (f"{url}/lib.git#main:sub", "from git\n")):
            done = argosyd.argosy("build", "-t", "x", "--build-context", f"lib={source}", str(place))
            assert done.returncode == 0, done.stdout + done.stderr
            assert run(argosyd, "x", "cat", "/seen", "/lib/a") == content * 2
        served.asked()
        (place / "Dockerfile").write_text("FROM busybox\n")
        assert argosyd.argosy("build", "--build-context", f"lib={archive}", str(place)).returncode == 0
        assert served.asked() == []
    assert_nothing_left(argosyd)
    assert list((argosyd.data_root / "build/contexts").iterdir()) == []


def test_directories_go_along_with_a_context_by_url_or_none(argosyd, library, tmp_path):
    with web(argosyd, tmp_path / "served") as served:
        url = served.put("context.tar", context({"Dockerfile": TEXT}))
        assert argosyd.argosy("build", "--build-context", f"lib={library}", url).returncode == 0
    flags = ("build", "-t", "x", "--build-context", f"lib={library}", "-")
    done = argosyd.argosy(*flags, stdin=None, input=TEXT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(argosyd, "x", "cat", "/seen") == "from the library\n"
    with (tmp_path / "context.tar").open("wb+") as file:
        file.write(context({"Dockerfile": TEXT}))
        file.seek(0)
        assert "takes no directories" in argosyd.argosy(*flags, stdin=file).stderr


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("lib", "use NAME=DIRECTORY, docker-image://NAME, oci-layout://DIRECTORY or a URL"),
        ("lib=/nosuch", "build context lib: /nosuch is not a directory"),
        ("lib=ftp://x/y", "ftp:// is not supported"),
        ("lib=oci-layout:///nosuch", "/nosuch is not an OCI layout"),
    ],
)
def test_a_source_that_is_none_is_told(argosyd, place, flag, words):
    done = argosyd.argosy("build", "--build-context", flag, str(place))
    assert done.returncode != 0 and words in done.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sent://../x", "no directory below the one that is sent"),
        ("sent://x", "no directory below the one that is sent"),
        ("sent://there/none", "error getting the subdirectory 'none' of build context lib"),
        ("sent://there/out", "error getting the subdirectory 'out' of build context lib"),
        ("sent://link/etc", "the context holds no directory link"),
        ("sent://missing/x", "the context holds no directory missing"),
        ("nothing", "neither an http(s) URL nor a git repository"),
    ],
)
def test_nothing_leads_out_of_what_was_sent(argosyd, source, words):
    link, out = tarfile.TarInfo("link"), tarfile.TarInfo("there/out")
    link.type = out.type = tarfile.SYMTYPE
    link.linkname, out.linkname = "/", "/etc"
    found = build(argosyd, TEXT, {"there/x/a": "1", "there/out": out, "link": link}, contexts={"lib": source})
    assert words in found.error
