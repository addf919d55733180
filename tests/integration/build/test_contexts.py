"""Contexts as a daemon makes them: confined workers, real tars, a real git."""

import asyncio
import bz2
import gzip
import io
import lzma
import os
import secrets
import subprocess
import tarfile
from contextlib import asynccontextmanager

import pytest
import zstandard

from argosy.base.clock import SystemClock
from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.base.tasks import Supervisor
from argosy.build.cache.synced import SyncedTrees
from argosy.build.cache.table import CacheTable
from argosy.build.context import Contexts, digests_of
from argosy.build.context.git import Clone
from argosy.runtime.client import LauncherWorkers
from argosy.storage.limits import Limits
from argosy.storage.model import Directory
from argosy.storage.trash import Trash
from suites.fork_workers import ForkWorkers

pytestmark = pytest.mark.root


class Downloads(dict):
    @asynccontextmanager
    async def __call__(self, url):
        yield chunks(self[url])


class Host:
    def __init__(self, path):
        self.workers = ForkWorkers()
        self.supervisor = Supervisor()
        self.directory = path / "build"
        self.downloads = Downloads()
        trash = Trash(path / "trash", workers=self.workers, supervisor=self.supervisor)
        table = CacheTable(db=None, clock=SystemClock())
        self.contexts = Contexts(
            directory=self.directory,
            workers=self.workers,
            trash=trash,
            synced=SyncedTrees(path / "synced", table=table, trash=trash, clock=SystemClock(), boot="one"),
            git=Clone(protocols=("file",)),
            limits=Limits(size=4 << 20),
            download=self.downloads,
        )
        self.contexts.open()

    async def settled(self):
        while self.supervisor._tasks:
            await asyncio.gather(*list(self.supervisor._tasks), return_exceptions=True)


@pytest.fixture
async def host(tmp_path):
    host = Host(tmp_path)
    yield host
    await host.settled()
    assert list(host.directory.iterdir()) == []
    assert list((tmp_path / "trash").iterdir()) == []


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, tarfile.TarInfo):
                member = content
                content = b""
            else:
                content = content.encode()
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


async def chunks(data):
    for at in range(0, len(data), 1000):
        yield data[at : at + 1000]


FILES = {"Dockerfile": "FROM a\n", "f": "1", "d/g": "2"}


def names(root):
    return sorted(os.path.relpath(os.path.join(where, name), root) for where, _, files in os.walk(root) for name in files)


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress])
async def test_a_tar_is_unpacked_whatever_compressed_it(host, packed):
    async with host.contexts.from_stream(chunks(packed(tar(FILES)))) as context:
        assert context.dockerfile == b"FROM a\n" and context.name == "Dockerfile"
        assert names(context.root) == ["Dockerfile", "d/g", "f"]
        assert (context.root / "d/g").read_text() == "2"


async def test_a_context_that_unpacks_to_too_much_is_refused(host):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = 32 << 20
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(InvalidParameterError, match="the limit of --max-archive-size"):
        async with host.contexts.from_stream(chunks(stream.getvalue())):
            pass


async def test_what_dockerignore_names_is_gone(host):
    files = {**FILES, ".dockerignore": "d\n!d/h\nDockerfile\n.dockerignore\nz\n", "d/h": "3", "d/i/j": "4", "z/y/x": "5"}
    async with host.contexts.from_stream(chunks(tar(files))) as context:
        assert context.dockerfile == b"FROM a\n"
        assert names(context.root) == ["d/h", "f"]
        assert not (context.root / "d/i").exists() and not (context.root / "z").exists()
        assert context.ignored == ("d", "!d/h", "Dockerfile", ".dockerignore", "z")


async def test_a_dockerfile_may_bring_patterns_of_its_own(host):
    files = {**FILES, "sub/My": "FROM b\n", "sub/My.dockerignore": "f\n", ".dockerignore": "d\n"}
    async with host.contexts.from_stream(chunks(tar(files)), dockerfile="sub/My") as context:
        assert context.dockerfile == b"FROM b\n"
        assert "d/g" in names(context.root) and "f" not in names(context.root)


@pytest.mark.parametrize(
    ("files", "dockerfile", "words"),
    [
        ({"x": "1"}, "", "Cannot locate specified Dockerfile: Dockerfile"),
        (FILES, "Other", "Cannot locate specified Dockerfile: Other"),
        (FILES, "d", "Cannot locate specified Dockerfile: d"),
        (FILES, "../x", "Forbidden path outside the build context: ../x"),
        ({"Dockerfile": ""}, "", r"the Dockerfile \(Dockerfile\) cannot be empty"),
        ({"Dockerfile": link("Dockerfile", "/etc/hostname")}, "", "Cannot locate specified Dockerfile"),
        ({"Dockerfile": link("Dockerfile", "Dockerfile")}, "", "Cannot locate specified Dockerfile"),
        ({**FILES, ".dockerignore": "[\n"}, "", "syntax error in pattern"),
        ({**FILES, "../../evil": "x"}, "", "is outside of"),
    ],
)
async def test_a_context_that_is_wrong_says_why_and_leaves_nothing(host, files, dockerfile, words):
    with pytest.raises(InvalidParameterError, match=words):
        async with host.contexts.from_stream(chunks(tar(files)), dockerfile=dockerfile):
            pass


@pytest.mark.parametrize("data", [b"no tar at all" * 100, gzip.compress(tar(FILES))[:-30], gzip.compress(os.urandom(3000))[:200]])
async def test_a_broken_stream_is_refused(host, data):
    with pytest.raises(InvalidParameterError):
        async with host.contexts.from_stream(chunks(data)):
            pass


async def test_an_archive_cannot_leave_its_directory(host, tmp_path):
    target = tmp_path / "outside"
    target.mkdir()
    files = {"Dockerfile": "FROM a\n", "l": link("l", str(target)), "l/evil": "x", "h": "x"}
    async with host.contexts.from_stream(chunks(tar({k: files[k] for k in ("Dockerfile", "l")}))) as context:
        assert (context.root / "l").is_symlink()
    with pytest.raises(InvalidParameterError):
        async with host.contexts.from_stream(chunks(tar(files))):
            pass
    assert list(target.iterdir()) == []


async def test_the_lower_case_name_is_found_too(host):
    async with host.contexts.from_stream(chunks(tar({"dockerfile": "FROM a\n"}))) as context:
        assert context.name == "dockerfile"


async def test_a_download_is_a_tar_or_a_dockerfile(host):
    host.downloads["http://h/c.tgz"] = gzip.compress(tar(FILES))
    host.downloads["http://h/Dockerfile"] = b"FROM scratch\n"
    async with host.contexts.from_remote("http://h/c.tgz") as context:
        assert names(context.root) == ["Dockerfile", "d/g", "f"]
    async with host.contexts.from_remote("http://h/Dockerfile") as context:
        assert context.dockerfile == b"FROM scratch\n" and names(context.root) == []


async def test_what_a_crash_left_is_swept_at_the_start(host):
    left = host.directory / "0011" / "root" / "deep"
    left.mkdir(parents=True)
    host.contexts.open()
    await host.settled()
    assert list(host.directory.iterdir()) == []


def git(where, *words):
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(where)}
    who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *who, *words], cwd=where, env=env, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    where = tmp_path / "repo.git"
    (where / "sub").mkdir(parents=True)
    (where / "Dockerfile").write_text("FROM one\n")
    (where / "sub/Dockerfile").write_text("FROM sub\n")
    (where / "out").symlink_to("/etc")
    git(where, "init", "-q")
    git(where, "add", ".")
    git(where, "commit", "-qm", "1")
    git(where, "tag", "v1")
    (where / "Dockerfile").write_text("FROM two\n")
    git(where, "commit", "-qam", "2")
    return where


async def fetched(host, repository, monkeypatch, fragment=""):
    """Contexts take no file URLs, so the tests' repository is put in behind."""
    monkeypatch.setattr("argosy.build.context.remote._SCHEMES", ("file",))
    monkeypatch.setattr("argosy.build.context.remote.urlsplit", lambda text: Parts(text))
    async with host.contexts.from_remote(f"file://{repository}{fragment}") as context:
        return context, names(context.root)


class Parts:
    def __init__(self, text):
        self.scheme, self.hostname, self.netloc, self.query, self.port = "file", "x", "", "", None
        self.path, _, self.fragment = text.removeprefix("file://").partition("#")


@pytest.mark.parametrize(
    ("fragment", "dockerfile"), [("", b"FROM two\n"), ("#v1", b"FROM one\n"), ("#main", b"FROM two\n"), ("#v1:sub", b"FROM sub\n")]
)
async def test_a_repository_s_commit_is_a_context(host, repository, monkeypatch, fragment, dockerfile):
    context, found = await fetched(host, repository, monkeypatch, fragment)
    assert context.dockerfile == dockerfile
    assert not any(name.startswith(".git") for name in found)


async def test_a_commit_without_a_name_is_found(host, repository, monkeypatch):
    first = subprocess.run(["git", "rev-parse", "v1"], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    context, _ = await fetched(host, repository, monkeypatch, f"#{first}")
    assert context.dockerfile == b"FROM one\n"


@pytest.mark.parametrize(
    ("fragment", "error", "words"),
    [("#nope", InvalidParameterError, "git"), ("#v1:none", NotFoundError, "none"), ("#v1:out", NotFoundError, "out")],
)
async def test_git_s_reason_is_told(host, repository, monkeypatch, fragment, error, words):
    with pytest.raises(error, match=words):
        await fetched(host, repository, monkeypatch, fragment)


async def test_a_hook_never_runs(host, repository, monkeypatch, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (hooks / "post-checkout").chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hooks))
    await fetched(host, repository, monkeypatch)
    assert not (tmp_path / "ran").exists()


async def test_without_git_the_words_say_what_to_do(host, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Exception, match="has no git: install git there"):
        async with host.contexts.from_remote("https://example.com/repo.git"):
            pass


async def test_the_launcher_s_workers_do_the_same(tmp_path):
    """They may import nothing any more once they are in the tree."""
    host = Host(tmp_path)
    workers = LauncherWorkers(exec_root=str(tmp_path / "run"), daemon_id=secrets.token_hex(6))
    host.workers = host.contexts._workers = workers
    files = {**FILES, ".dockerignore": "d/[a-g]*\n**/*.o\n!keep.o\n", "x/a.o": "", "keep.o": ""}
    try:
        async with host.contexts.from_stream(chunks(gzip.compress(tar(files)))) as context:
            assert names(context.root) == [".dockerignore", "Dockerfile", "f", "keep.o"]
            found = await digests_of(workers, Directory(str(context.root)), ["*.[a-o]", "."], excludes=["k*"])
            assert [one.path for one in found] == ["keep.o", ""]
            with pytest.raises(InvalidParameterError, match="syntax error in pattern"):
                await digests_of(workers, Directory(str(context.root)), ["["])
        await host.settled()
    finally:
        await workers.close()


# ------------------------------------------------------------------ checksums


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "d/e").mkdir(parents=True)
    for name, text in {"a.txt": "1", "b.txt": "2", "d/c.txt": "3", "d/e/f": "4"}.items():
        (root / name).write_text(text)
    (root / "link").symlink_to("d")
    (root / "abroad").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    return root


async def digests(tree, *sources, excludes=()):
    return {one.path: one for one in await digests_of(ForkWorkers(), Directory(str(tree)), sources, excludes=excludes)}


@pytest.mark.parametrize(
    ("sources", "paths"),
    [
        (["a.txt"], ["a.txt"]),
        (["/a.txt", "./d/../b.txt"], ["a.txt", "b.txt"]),
        (["*.txt"], ["a.txt", "b.txt"]),
        (["*/*.txt"], ["d/c.txt", "link/c.txt"]),
        (["d/?/f"], ["d/e/f"]),
        (["nothing", "*.none"], []),
        (["."], [""]),
        (["../../a.txt"], ["a.txt"]),
        (["abroad"], []),
        (["pipe"], ["pipe"]),
    ],
)
async def test_sources_match_as_copy_takes_them(tree, sources, paths):
    assert list(await digests(tree, *sources)) == paths


async def test_a_checksum_knows_content_and_not_times(tree):
    before = await digests(tree, ".", "d", "a.txt", "link")
    assert before["link"].digest == before["d"].digest
    assert before["a.txt"].kind == "file" and before["d"].kind == "directory"
    os.utime(tree / "a.txt", (1, 1))
    os.utime(tree / "d", (1, 1))
    assert await digests(tree, ".", "d", "a.txt", "link") == before
    (tree / "d/e/f").write_text("5")
    after = await digests(tree, ".", "d", "a.txt")
    assert after["a.txt"] == before["a.txt"]
    assert after["d"] != before["d"] and after[""] != before[""]


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "d/c.txt").chmod(0o600),
        lambda tree: os.chown(tree / "d/c.txt", 5, 0),
        lambda tree: os.chown(tree / "d/c.txt", 0, 5),
        lambda tree: (tree / "d/c.txt").rename(tree / "d/c"),
        lambda tree: (tree / "d/new").touch(),
        lambda tree: (tree / "d/new").mkdir(),
        lambda tree: (tree / "d/e/f").unlink(),
        lambda tree: os.setxattr(tree / "d/c.txt", "user.x", b"1"),
    ],
)
async def test_whatever_a_copy_would_carry_changes_the_checksum(tree, change):
    before = await digests(tree, "d")
    change(tree)
    assert await digests(tree, "d") != before


async def test_what_is_excluded_does_not_count(tree):
    before = await digests(tree, "d", excludes=["**/f"])
    (tree / "d/e/f").write_text("5")
    assert await digests(tree, "d", excludes=["**/f"]) == before
    assert (await digests(tree, "d"))["d"] != before["d"]
