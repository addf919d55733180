"""Where a build's files come from: contexts by URL, ADD of URLs and repositories, and how COPY puts things down."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.builds import build, context, run
from support.daemon import Daemon
from support.remains import assert_nothing_left
from support.web import Web, commit, git_server, web

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]


@pytest.fixture
def served(argosyd: Daemon, tmp_path: Path) -> Iterator[Web]:
    with web(argosyd, tmp_path / "served") as found:
        yield found


# ------------------------------------------------------------ remote=


def test_a_tar_by_url_is_a_context(argosyd, served):
    url = served.put("context.tar", context({"sub/Dockerfile": "FROM busybox\nCOPY f /f\n", "f": "far\n"}))
    assert build(argosyd, "", remote=url, dockerfile="sub/Dockerfile", t="x").error == ""
    assert run(argosyd, "x", "cat", "/f") == "far\n"
    assert "failed to GET" in build(argosyd, "", remote=url + ".not").error
    assert_nothing_left(argosyd)


def test_a_dockerfile_by_url_is_built_without_a_context(argosyd, served):
    url = served.put("Dockerfile", "FROM busybox\nRUN echo alone > /f\n")
    assert build(argosyd, "", remote=url, t="x").error == ""
    assert run(argosyd, "x", "cat", "/f") == "alone\n"
    found = build(argosyd, "", remote=served.put("other", "FROM busybox\nCOPY f /f\n"))
    assert "stat f: file does not exist" in found.error


def test_a_commit_s_directory_is_a_context(argosyd, served, tmp_path):
    repositories = tmp_path / "repositories"
    first = commit(repositories / "app.git", sub__Dockerfile="FROM busybox\nCOPY f /f\n", sub__f="one\n", f="top\n")
    commit(repositories / "app.git", sub__f="two\n")
    with git_server(argosyd, repositories) as url:
        for fragment, content in ((f"{first}:sub", "one\n"), ("main:sub", "two\n"), (":sub", "two\n")):
            found = build(argosyd, "", remote=f"{url}/app.git#{fragment}", t="x")
            assert found.error == "", fragment
            assert run(argosyd, "x", "cat", "/f") == content
        assert "none" in build(argosyd, "", remote=f"{url}/app.git#main:none").error
        done = argosyd.argosy("build", "-q", f"{url}/app.git#{first}:sub")
        assert done.stdout.startswith("sha256:"), done.stderr
    assert_nothing_left(argosyd)


@pytest.mark.parametrize("remote", ["ftp://example.com/x", "file:///etc/passwd", "https://", "ext::sh -c id"])
def test_what_is_no_url_is_refused(argosyd, remote):
    assert "neither an http(s) URL nor a git repository" in build(argosyd, "", remote=remote).error


# ------------------------------------------------------------ ADD of URLs


def test_a_file_by_url_has_the_server_s_time_and_is_not_fetched_again(argosyd, served):
    url = served.put("dir/data.txt", "far\n", modified=1_234_567_890)
    text = f"FROM busybox\nADD {url} /d/\nADD --chmod=640 --chown=3:4 {url} /named\nRUN stat -c '%n %a %u:%g %Y' /d/* /named > /seen\n"
    first = build(argosyd, text, t="x")
    assert first.error == ""
    assert run(argosyd, "x", "cat", "/seen") == "/d/data.txt 600 0:0 1234567890\n/named 640 3:4 1234567890\n"
    assert served.asked() == ["GET /dir/data.txt 200", "GET /dir/data.txt 304"]
    again = build(argosyd, text)
    assert (again.id, again.cached) == (first.id, 3)
    assert build(argosyd, text, nocache=1).error == ""
    assert {line.split()[-1] for line in served.asked()} == {"304"}
    served.put("dir/data.txt", "other\n", modified=1_234_567_891)
    assert build(argosyd, text, t="x").cached == 0
    assert run(argosyd, "x", "cat", "/named") == "other\n"


def test_what_has_no_validator_is_fetched_each_time_and_counts_by_its_content(argosyd, served):
    text = f"FROM busybox\nADD {served.put('bare', 'same')} /f\n"
    build(argosyd, text)
    assert build(argosyd, text).cached == 1
    assert served.asked() == ["GET /bare 200"] * 2


def test_a_file_by_url_is_what_its_checksum_says(argosyd, served):
    url = served.put("f", "far\n")
    digest = "sha256:" + hashlib.sha256(b"far\n").hexdigest()
    text = f"FROM busybox\nADD --checksum={digest} {url} /f\n"
    assert build(argosyd, text, t="x").error == ""
    assert run(argosyd, "x", "cat", "/f") == "far\n"
    served.asked()
    assert build(argosyd, text).cached == 1
    assert served.asked() == [], "what the checksum names is here"
    wrong = build(argosyd, text.replace(digest, "sha256:" + 64 * "0"))
    assert "digest mismatch" in wrong.error
    assert "status 404" in build(argosyd, f"FROM busybox\nADD {url}x /f\n").error


def test_downloads_are_entries_of_the_cache_and_go_with_it(argosyd, served):
    url = served.put("big", b"x" * 300_000)
    build(argosyd, f"FROM busybox\nADD {url} /big\n")
    entries = {entry["Type"]: entry for entry in argosyd.api("GET", "/system/df")["BuildCache"]}
    assert entries["source.http"]["Size"] == 300_000 and url in entries["source.http"]["Description"]
    argosyd.stop()
    argosyd.start()
    served.asked()
    assert build(argosyd, f"FROM busybox\nADD {url} /other\n").error == ""
    assert served.asked() == ["GET /big 304"]
    assert argosyd.api("POST", "/build/prune?all=1")["SpaceReclaimed"] >= 300_000
    assert list((argosyd.data_root / "build/downloads").iterdir()) == []
    assert build(argosyd, f"FROM busybox\nADD {url} /big\n").error == ""
    assert served.asked() == ["GET /big 200"]


def test_an_archive_by_url_is_unpacked_only_when_told(argosyd, served):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("in/side")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    url = served.put("x.tgz", packed.getvalue())
    text = f"FROM busybox\nADD {url} /as/\nADD --unpack=true {url} /un/\nRUN cat /un/in/side; ls /as\n"
    assert "abcx.tgz" in build(argosyd, text).text


# ------------------------------------------------------------ ADD of repositories


def test_a_repository_is_added_with_and_without_its_history(argosyd, tmp_path):
    repositories = tmp_path / "repositories"
    first = commit(repositories / "app.git", f="one\n", sub__g="deep\n")
    commit(repositories / "app.git", f="two\n")
    with git_server(argosyd, repositories) as url:
        text = (
            f"FROM busybox\nADD {url}/app.git /new\nADD --keep-git-dir=true {url}/app.git#{first} /old\n"
            f"ADD --chown=5:6 {url}/app.git#main:sub /sub\nRUN cat /new/f /old/f /sub/g; ls -d /new/.git /old/.git; stat -c %u:%g /sub/g\n"
        )
        found = build(argosyd, text)
        assert found.error == ""
        assert "\ntwo\none\ndeep\n" in found.text and "/old/.git\n" in found.text and "5:6" in found.text
        assert "/new/.git\n" not in found.text.replace("ls: /new/.git: No such file or directory\n", "")
        assert build(argosyd, text).cached == 4
        assert build(argosyd, f"FROM busybox\nADD {url}/app.git?checksum={first[:12]}#main /x\n").error.startswith("expected checksum")
        commit(repositories / "app.git", f="three\n")
        assert build(argosyd, text).cached == 0
    assert_nothing_left(argosyd)


# ------------------------------------------------------------ how COPY puts things down

MODES = (
    "FROM busybox\nCOPY --chmod=u+x a /1\nCOPY --chmod=u=rwX,go=rX . /2/\nCOPY --chmod=4711 d /3/4\nCOPY --chmod=go= d /5\n"
    "RUN mkdir -m 711 /6\nCOPY --chmod=777 d /6\nARG M=a+rX\nCOPY --chmod=$M d /7\nADD --chmod=g=u a /8\nCOPY --link --chmod=g+s a /9\n"
    "RUN find /? -type f -exec stat -c '%n %a' {} + > /seen; stat -c '%n %a' /2/d /3 /3/4 /5 /6 /7 >> /seen\n"
)


def test_modes_are_octal_or_symbolic(argosyd):
    """The modes were seen with BuildKit 0.25."""
    info = tarfile.TarInfo("d")
    info.type, info.mode = tarfile.DIRTYPE, 0o700
    assert build(argosyd, MODES, {"a": "1", "d": info, "d/f": "2"}, t="x").error == ""
    seen = dict(line.split() for line in run(argosyd, "x", "cat", "/seen").splitlines())
    wanted = {"/1": "744", "/2/a": "644", "/2/d": "755", "/2/d/f": "644", "/3": "711", "/3/4": "711", "/3/4/f": "4711", "/5": "755"}
    wanted |= {"/5/f": "600", "/6": "711", "/6/f": "777", "/7": "755", "/7/f": "644", "/8": "664", "/9": "2644"}
    assert {path: mode for path, mode in seen.items() if path in wanted} == wanted
    assert "invalid syntax" in build(argosyd, "FROM busybox\nCOPY --chmod=u~x a /1\n", {"a": "1"}).error


def test_owners_are_names_or_numbers(argosyd):
    text = (
        "FROM busybox\nRUN echo 'app:x:77:78::/:/bin/sh' >> /etc/passwd; echo 'grp:x:99:' >> /etc/group\n"
        "COPY --chown=app a /1\nCOPY --chown=app:grp a /2\nCOPY --chown=5 a /3\nCOPY --chown=5:grp a /4\nCOPY --chown=:grp a /5\n"
        "ARG U=app\nADD --chown=$U:6 a /6\nRUN stat -c '%n %u:%g' /?\n"
    )
    found = build(argosyd, text, {"a": "1"})
    assert found.error == ""
    assert "/1 77:78\n/2 77:99\n/3 5:5\n/4 5:99\n/5 0:99\n/6 77:6\n" in found.text
    assert "nobody-here" in build(argosyd, "FROM busybox\nCOPY --chown=nobody-here a /1\n", {"a": "1"}).error


def test_here_documents_are_files_and_scripts(argosyd):
    text = (
        "FROM busybox\nARG A=value\nCOPY --chmod=600 <<F <<-'G' /d/\n$A\nF\n\t$A\n\tG\n"
        "RUN <<E\nset -e\necho first\necho $A\nE\nRUN <<E\n#!/bin/cat\nas a file\nE\nRUN cat /d/?; stat -c %a /d/F; cat - <<E\nlast\nE\n"
    )
    found = build(argosyd, text)
    assert found.error == ""
    assert "\nfirst\nvalue\n" in found.text and "as a file" in found.text and "value\n$A\n600\nlast\n" in found.text


def test_a_linked_copy_is_found_again_on_another_base(argosyd):
    """The same layer lies on both bases, and the second time nothing is copied."""
    text = "ARG BASE\nFROM $BASE\nCOPY --link --chown=1:2 f /deep/f\n"
    build(argosyd, "FROM busybox\nRUN echo other > /deep; rm /deep; mkdir -p /real; ln -s /real /deep\n", t="other")
    one = build(argosyd, text, {"f": "data\n"}, buildargs={"BASE": "busybox"}, t="one")
    two = build(argosyd, text, {"f": "data\n"}, buildargs={"BASE": "other"}, t="two")
    assert (one.error, two.error, two.cached) == ("", "", 1)
    layers = [argosyd.api("GET", f"/images/{image}/json")["RootFS"]["Layers"][-1] for image in ("one", "two")]
    assert layers[0] == layers[1]
    # Without what lies below it, a link is no place to follow: the directory takes its place.
    assert run(argosyd, "two", "sh", "-c", "ls -ld /deep | cut -c1; cat /deep/f; ls /real; stat -c %u:%g /deep/f") == "d\ndata\n1:2\n"
    argosyd.api("DELETE", "/images/one")
    argosyd.api("POST", "/build/prune?all=1")
    assert run(argosyd, "two", "cat", "/deep/f") == "data\n"
    assert_nothing_left(argosyd)
