"""The jobs in a real worker: hostile archives, copies in and out, GNU tar on the other side."""

import asyncio
import io
import os
import stat
import subprocess
import tarfile

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.storage import pipes
from argosy.storage.model import Directory
from suites.fork_workers import ForkWorkers
from suites.snapshots import tar

pytestmark = pytest.mark.root

workers = ForkWorkers()


def sh(*args, **options):
    return subprocess.run(*args, **options)


@pytest.fixture
def tree(tmp_path):
    """A tree with something outside of it that must not change."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim").write_text("untouched")
    root = tmp_path / "tree"
    root.mkdir()
    yield root
    assert (tmp_path / "outside" / "victim").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "tree"]
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["victim"]


async def body(data):
    for at in range(0, len(data), 70_000):
        yield data[at : at + 70_000]


async def put(job, params, root, data):
    read, write = pipes.make_pipe()
    work = asyncio.ensure_future(workers.run(job, params, fds=[read], root=Directory(str(root))))
    await asyncio.sleep(0)
    os.close(read)
    await pipes.feed(write, body(data))
    return await work


async def get(job, params, root):
    read, write = pipes.make_pipe()
    work = asyncio.ensure_future(workers.run(job, params, fds=[write], root=Directory(str(root))))
    await asyncio.sleep(0)
    os.close(write)
    data = b"".join([chunk async for chunk in pipes.drain(read)])
    await work
    return data


def unpack(root, data, path="/", **params):
    return put("unpack", {"path": path, **params}, root, data)


HOSTILE = {
    "parent": tar(("../outside/victim", b"evil")),
    "deep parent": tar(("a/b/../../../outside/victim", b"evil")),
    "absolute parent": tar(("/../outside/victim", b"evil")),
    "hard link out": tar(("l", "=../outside/victim"), ("l", b"evil")),
    "whiteout of the parent": tar(("...", "dir"), (".wh...", b"")),
}
CONTAINED = {
    "absolute": tar(("/etc/passwd", b"mine")),
    "symlink out": tar(("l", "->../../../../outside"), ("l/victim", b"evil")),
    "absolute symlink": tar(("l", "->/outside"), ("l/victim", b"evil")),
    "symlink to the root": tar(("l", "->/"), ("l/../../outside/victim", b"evil")),
    "hard link to a symlink": tar(("s", "->/outside/victim"), ("h", "=s"), ("h", b"evil")),
    "directory becomes symlink": tar(("d", "dir"), ("d", "->/outside"), ("d/victim", b"evil")),
    "file through a symlink": tar(("victim", "->/outside/victim"), ("victim", b"evil")),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("job", ["unpack", "apply_layer"])
async def test_archives_that_want_out_are_refused(tree, name, job):
    if job == "unpack" and name.startswith("whiteout"):
        pytest.skip("an archive copied into a container has no whiteouts")
    with pytest.raises(InvalidParameterError):
        await put(job, {"path": "/", "overlay": True}, tree, HOSTILE[name])


@pytest.mark.parametrize("name", CONTAINED)
@pytest.mark.parametrize("job", ["unpack", "apply_layer"])
async def test_links_lead_nowhere_but_inside(tree, name, job):
    try:
        await put(job, {"path": "/", "overlay": True}, tree, CONTAINED[name])
    except InvalidParameterError:
        pass


IMPOSSIBLE = {
    "owner": (tar(("f", b"1", {"uid": 1 << 33})), "/f: owner 8589934592:0 is out of range"),
    "nobody changes it": (tar(("f", b"1", {"uid": (1 << 32) - 1})), "out of range"),
    "device": (tar(("f", (1 << 20, 0))), "device 1048576:0 is out of range"),
    "long name": (tar(("n" * 300, b"1")), "File name too long"),
    "long path": (tar(("/".join(["d" * 200] * 30), b"1")), "file name too long"),
    "huge attribute": (tar(("f", b"1", {"pax_headers": {"SCHILY.xattr.user.huge": "x" * 70_000}})), "attribute user.huge of 70000 bytes"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
@pytest.mark.parametrize("job", ["unpack", "apply_layer"])
async def test_what_no_file_can_be_is_the_archives_fault(tree, name, job):
    data, words = IMPOSSIBLE[name]
    with pytest.raises(InvalidParameterError, match=f"(?i){words}"):
        await put(job, {"path": "/", "overlay": True}, tree, data)


@pytest.mark.parametrize("overlay", [True, False])
async def test_odd_whiteouts_hide_nothing_that_they_must_not(tree, overlay):
    (tree / "d").mkdir()
    (tree / "d" / "kept").write_text("1")
    odd = tar((".wh..", b""), ("d/.wh..", b""), ("d/.wh..wh.plnk", b""), (".wh..wh.aufs", b""))
    await put("apply_layer", {"overlay": overlay}, tree, odd)
    assert (tree / "d" / "kept").read_text() == "1"
    for name in ("d/.wh...", ".wh...", ".wh.", "d/.wh."):
        with pytest.raises(InvalidParameterError, match="outside"):
            await put("apply_layer", {"overlay": overlay}, tree, tar((name, b"")))
    assert (tree / "d" / "kept").read_text() == "1"


async def test_a_whiteout_through_a_link_stays_inside(tree):
    (tree / "link").symlink_to("/../outside")
    try:
        await put("apply_layer", {"overlay": False}, tree, tar(("link/.wh.victim", b""), ("link/.wh..wh..opq", b"")))
    except InvalidParameterError:
        pass


async def test_names_with_newlines_and_odd_bytes_come_through(tree):
    names = ["a\nb", "tab\t", os.fsdecode(b"\xff\xfe"), "-rf", " ", "'"]
    await put("apply_layer", {"overlay": True}, tree, tar(*((name, name.encode("utf-8", "surrogateescape")) for name in names)))
    assert {path.name for path in tree.iterdir()} == set(names)
    with tarfile.open(fileobj=io.BytesIO(await get("export", {}, tree))) as archive:
        assert set(archive.getnames()) == set(names)


async def test_unpack_merges_directories_and_replaces_the_rest(tree):
    (tree / "d").mkdir()
    (tree / "d" / "kept").write_text("1")
    (tree / "f").write_text("old")
    (tree / "was-dir").mkdir()
    (tree / "was-dir" / "x").write_text("1")
    await unpack(tree, tar(("d", "dir", {"mode": 0o700}), ("f", b"new"), ("was-dir", b"file")))
    assert (tree / "d" / "kept").read_text() == "1"
    assert stat.S_IMODE((tree / "d").stat().st_mode) == 0o700
    assert (tree / "f").read_text() == "new"
    assert (tree / "was-dir").read_text() == "file"


async def test_unpack_may_be_told_not_to_replace_kinds(tree):
    (tree / "d").mkdir()
    (tree / "f").write_text("old")
    with pytest.raises(InvalidParameterError, match='cannot overwrite directory "d" with non-directory'):
        await unpack(tree, tar(("d", b"file")), no_overwrite=True)
    with pytest.raises(InvalidParameterError, match='cannot overwrite non-directory "f" with directory'):
        await unpack(tree, tar(("f", "dir")), no_overwrite=True)
    await unpack(tree, tar(("f", b"newer"), ("d", "dir")), no_overwrite=True)
    assert (tree / "f").read_text() == "newer"


async def test_unpack_gives_files_the_owner_asked_for(tree):
    await unpack(tree, tar(("f", b"1", {"uid": 5, "gid": 6}), ("d", "dir")), owner=[1000, 1001])
    assert {(path.stat().st_uid, path.stat().st_gid) for path in tree.iterdir()} == {(1000, 1001)}


async def test_unpack_needs_an_existing_directory(tree):
    (tree / "f").write_text("x")
    with pytest.raises(NotFoundError, match="Could not find the file /nope"):
        await unpack(tree, tar(("a", b"1")), "/nope")
    with pytest.raises(InvalidParameterError, match="extraction point is not a directory"):
        await unpack(tree, tar(("a", b"1")), "/f")


async def test_unpack_follows_links_inside_only(tree):
    (tree / "real").mkdir()
    (tree / "link").symlink_to("/real")
    await unpack(tree, tar(("a", b"1")), "/link")
    assert (tree / "real" / "a").read_text() == "1"


async def test_a_broken_archive_says_so(tree):
    with pytest.raises(InvalidParameterError, match="unexpected EOF"):
        await unpack(tree, tar(("a", b"1" * 2000))[:1500])
    with pytest.raises(InvalidParameterError, match="invalid tar header"):
        await unpack(tree, b"x" * 1024)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/d", ["d", "d/f", "d/s"]),
        ("/d/", ["d", "d/f", "d/s"]),
        ("/d/f", ["f"]),
        ("/link", ["link"]),
        ("/link/", ["link", "link/f", "link/s"]),
        ("d/../d/f", ["f"]),
        ("/", ["", "d", "d/f", "d/s", "link"]),
    ],
)
async def test_pack_names_members_by_the_last_element(tree, path, names):
    (tree / "d" / "s").mkdir(parents=True)
    (tree / "d" / "f").write_text("1")
    (tree / "link").symlink_to("/d")
    with tarfile.open(fileobj=io.BytesIO(await get("pack", {"path": path}, tree))) as archive:
        assert [name.strip("/") for name in archive.getnames()] == names


async def test_pack_says_what_is_missing(tree):
    with pytest.raises(NotFoundError, match="Could not find the file /nope"):
        await get("pack", {"path": "/nope"}, tree)


async def test_stat_describes_in_gos_words(tree):
    (tree / "d").mkdir(mode=0o1755)
    (tree / "d").chmod(0o1755)
    (tree / "d" / "f").write_bytes(b"12345")
    (tree / "l").symlink_to("d/f")
    root = Directory(str(tree))
    found = await workers.run("stat", {"path": "/d/f"}, root=root)
    assert (found["name"], found["size"], found["mode"], found["linkTarget"]) == ("f", 5, 0o644, "")
    assert found["mtime_ns"] == (tree / "d" / "f").stat().st_mtime_ns
    assert (await workers.run("stat", {"path": "/d"}, root=root))["mode"] == 1 << 31 | 1 << 20 | 0o755
    link = await workers.run("stat", {"path": "/l"}, root=root)
    assert (link["mode"], link["linkTarget"], link["name"]) == (1 << 27 | 0o777, "/d/f", "l")
    assert (await workers.run("stat", {"path": "/"}, root=root))["name"] == "/"


async def test_a_round_trip_keeps_everything(tree, tmp_path):
    source = tree / "s"
    source.mkdir()
    (source / "f").write_bytes(os.urandom(200_000))
    os.chown(source / "f", 1000, 1001)
    (source / "f").chmod(0o4755)
    os.setxattr(source / "f", "user.k", b"v\0w")
    os.link(source / "f", source / "hard")
    (source / "soft").symlink_to("/nowhere")
    os.mkfifo(source / "pipe")
    os.mknod(source / "dev", stat.S_IFCHR | 0o660, os.makedev(1, 7))
    (source / os.fsdecode(b"caf\xe9")).write_text("latin")
    (source / ("n" * 200)).write_text("long")
    with (source / "sparse").open("wb") as file:
        file.truncate(1 << 20)
    data = await get("pack", {"path": "/s"}, tree)
    (tree / "t").mkdir()
    await unpack(tree, data, "/t")
    copy = tree / "t" / "s"
    assert sorted(os.listdir(copy)) == sorted(os.listdir(source))
    for name in os.listdir(source):
        one, other = os.lstat(source / name), os.lstat(copy / name)
        for field in ("st_mode", "st_uid", "st_gid", "st_size", "st_rdev", "st_nlink"):
            assert getattr(one, field) == getattr(other, field), (name, field)
        assert int(one.st_mtime) == int(other.st_mtime)
    assert (copy / "f").read_bytes() == (source / "f").read_bytes()
    assert os.getxattr(copy / "f", "user.k") == b"v\0w"
    listed = sh(["tar", "-tf", "-"], input=data, capture_output=True, check=True)
    assert listed.stderr == b""


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "pax", "ustar", "v7"])
async def test_gnu_tars_archives_are_read(tree, tmp_path, form):
    source = tree / "src"
    source.mkdir()
    (source / "f").write_bytes(os.urandom(100_000))
    (source / "d").mkdir()
    (source / "d" / "l").symlink_to("../f")
    os.link(source / "f", source / "hard")
    if form not in ("ustar", "v7"):
        (source / ("n" * 120)).write_text("long")
    data = sh(["tar", "-C", source, f"--format={form}", "-cf", "-", "."], capture_output=True, check=True).stdout
    (tree / "out").mkdir()
    await unpack(tree, data, "/out")
    diff = sh(["diff", "-r", "--no-dereference", source, tree / "out"], capture_output=True)
    assert diff.stdout == b""
    assert (tree / "out" / "hard").stat().st_nlink == 2


@pytest.mark.parametrize("version", ["old", "0.0", "0.1", "1.0"])
async def test_sparse_files_are_read_and_stay_sparse(tree, version):
    with (tree / "holes").open("wb") as file:
        for number in range(40):
            file.seek(number * 300_000)
            file.write(b"%d" % number * 1000)
        file.truncate(20_000_000)
    options = ["--format=gnu"] if version == "old" else ["--format=pax", f"--sparse-version={version}"]
    data = sh(["tar", "-C", tree, "-S", *options, "-cf", "-", "holes"], capture_output=True, check=True).stdout
    (tree / "out").mkdir()
    await unpack(tree, data, "/out")
    assert (tree / "out" / "holes").read_bytes() == (tree / "holes").read_bytes()
    assert (tree / "out" / "holes").stat().st_blocks * 512 < 2_000_000


async def test_gnu_tar_reads_what_is_exported(tree, tmp_path):
    (tree / "a").mkdir()
    (tree / "a" / "big").write_bytes(os.urandom(3_000_000))
    for number in range(50):
        (tree / "a" / f"f{number}").write_text(str(number))
    data = await get("export", {}, tree)
    (tree / "out").mkdir()
    sh(["tar", "-C", tree / "out", "-xf", "-"], input=data, check=True)
    assert sh(["diff", "-r", tree / "a", tree / "out" / "a"], capture_output=True).stdout == b""
    assert data.endswith(bytes(1024))


async def test_directories_deeper_than_any_path_are_removed(tree):
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=fd)
        below = os.open("deep", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    fd = os.open(tree, os.O_RDONLY)
    await workers.run("empty", {}, fds=[fd])
    os.close(fd)
    assert os.listdir(tree) == []


async def test_copy_up_fills_an_empty_directory_only(tree):
    (tree / "image" / "data").mkdir(parents=True)
    (tree / "image" / "data" / "f").write_text("from the image")
    (tree / "image" / "data").chmod(0o750)
    os.chown(tree / "image" / "data", 33, 33)
    (tree / "volume").mkdir()
    for _ in range(2):
        fd = os.open(tree / "volume", os.O_RDONLY)
        await workers.run("copy_up", {"path": "/data"}, fds=[fd], root=Directory(str(tree / "image")))
        os.close(fd)
        assert os.listdir(tree / "volume") == ["f"]
        (tree / "image" / "data" / "late").write_text("")
    found = (tree / "volume").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o750, 33)


async def test_a_worker_that_is_cancelled_frees_the_pipe(tree):
    read, write = pipes.make_pipe()
    work = asyncio.ensure_future(workers.run("unpack", {"path": "/"}, fds=[read], root=Directory(str(tree))))
    await asyncio.sleep(0.01)
    os.close(read)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await pipes.feed(write, body(bytes(3 << 20)))
