"""The contract of layers and snapshots, run on every storage driver. A class per driver subclasses `SnapshotContract`."""

import asyncio
import hashlib
import io
import os
import stat
import struct
import tarfile
import tempfile

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.base.tasks import Supervisor
from argosy.linux import kernel
from argosy.linux.fuse_overlay import open_fuse_overlay
from argosy.linux.overlay import open_overlay
from argosy.storage.ingest import Part
from argosy.storage.layer import chain_id
from argosy.storage.layers import Layers
from argosy.storage.model import Directory, Overlay
from argosy.storage.snapshots import Snapshots


def tar(*members):
    """Return a tar of (name, what): bytes a file, "dir", "->target" a symlink, "=target" a hard link, (major, minor) a device."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, what, *more in members:
            info = tarfile.TarInfo(name)
            info.mtime = 1_700_000_000
            for key, value in (more[0] if more else {}).items():
                setattr(info, key, value)
            if isinstance(what, bytes):
                info.size = len(what)
                archive.addfile(info, io.BytesIO(what))
                continue
            if what == "dir":
                info.type, info.mode = tarfile.DIRTYPE, info.mode if more and "mode" in more[0] else 0o755
            elif isinstance(what, tuple):
                info.type, (info.devmajor, info.devminor) = tarfile.CHRTYPE, what
            elif what.startswith("->"):
                info.type, info.linkname = tarfile.SYMTYPE, what[2:]
            else:
                info.type, info.linkname = tarfile.LNKTYPE, what[1:]
            archive.addfile(info)
    return out.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def directories(root):
    return tuple(map(os.fsencode, root.lower)), os.fsencode(root.upper), os.fsencode(root.work)


class Opened:
    """A snapshot mounted for the test, by directory fd: nothing is attached to the machine's mount tree."""

    def __init__(self, root):
        self.server = 0
        if isinstance(root, Directory):
            self.fd = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY)
        else:
            assert isinstance(root, Overlay)
            if root.program:
                tree, self.server = open_fuse_overlay(os.fsencode(root.program), *directories(root))
            else:
                with tempfile.TemporaryDirectory() as scratch:
                    plus = kernel.has_lowerdir_plus()
                    tree = open_overlay(*directories(root), lowerdir_plus=plus, scratch=os.fsencode(scratch))
            self.fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=tree)
            os.close(tree)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.close(self.fd)
        if self.server:
            # With its mount it goes by itself.
            os.waitpid(self.server, 0)

    def read(self, name):
        with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=self.fd), "rb") as file:
            return file.read()

    def write(self, name, data, mode=0o644):
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode, dir_fd=self.fd), "wb") as file:
            file.write(data)

    def stat(self, name):
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def names(self, name="."):
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.fd)
        try:
            return sorted(os.listdir(fd))
        finally:
            os.close(fd)

    def remove(self, name):
        os.unlink(name, dir_fd=self.fd)

    def tree(self, name="."):
        found = {}
        for item in self.names(name):
            path = item if name == "." else f"{name}/{item}"
            found[path] = self.stat(path).st_mode
            if stat.S_ISDIR(found[path]):
                found |= self.tree(path)
        return found


MOUNTPOINTS = {".dockerenv", "dev", "etc", "proc", "sys"}


class SnapshotContract:
    def make_driver(self, home, workers):
        raise NotImplementedError

    @pytest.fixture
    def home(self, tmp_path):
        return tmp_path / "home"

    @pytest.fixture
    async def layers(self, home, workers):
        supervisor = Supervisor()
        self.supervisor = supervisor
        home.mkdir()
        layers = Layers(home, self.make_driver(home, workers), workers=workers, supervisor=supervisor)
        layers.open()
        yield layers
        await self.settled()

    async def settled(self):
        """Wait until what was removed is gone."""
        while self.supervisor._tasks:
            await asyncio.wait(list(self.supervisor._tasks))

    @pytest.fixture
    def snapshots(self, layers):
        snapshots = Snapshots(layers)
        snapshots.open()
        return snapshots

    def reopened(self, layers):
        again = Layers(layers.home, layers.driver, workers=layers.workers, supervisor=self.supervisor)
        again.open()
        snapshots = Snapshots(again)
        snapshots.open()
        return again, snapshots

    async def add(self, layers, parent, data, expected=""):
        with tempfile.TemporaryFile() as file:
            file.write(b"before" + data + b"after")
            file.flush()
            async with layers.ingest() as ingest:
                return await ingest.add(parent, Part(file.fileno(), 6, len(data)), expected=expected)

    async def commit(self, layers, snapshots, key):
        async with layers.ingest() as ingest:
            return await snapshots.commit(key, ingest)

    async def content(self, layers, chain):
        return b"".join([chunk async for chunk in layers.tar(chain)])

    # ---------------------------------------------------------------- layers

    async def test_a_layer_is_found_by_its_chain_id(self, layers):
        data = tar(("a", b"one"))
        layer = await self.add(layers, None, data)
        assert (layer.chain_id, layer.diff_id, layer.parent, layer.size) == (digest(data), digest(data), None, 3)
        upper = tar(("b", b"two!"))
        second = await self.add(layers, layer.chain_id, upper)
        assert second.chain_id == chain_id(layer.chain_id, digest(upper))
        assert layers.size(second.chain_id) == 7

    async def test_layers_stack(self, layers, snapshots):
        one = await self.add(layers, None, tar(("d", "dir"), ("d/a", b"1"), ("d/b", b"1"), ("gone", b"1")))
        two = await self.add(layers, one.chain_id, tar(("d", "dir"), ("d/b", b"two"), (".wh.gone", b"")))
        with Opened(await snapshots.prepare("c", two.chain_id)) as root:
            assert root.read("d/a") == b"1"
            assert root.read("d/b") == b"two"
            assert set(root.names()) - MOUNTPOINTS == {"d"}

    async def test_an_opaque_directory_hides_what_is_below(self, layers, snapshots):
        one = await self.add(layers, None, tar(("d", "dir"), ("d/a", b"1"), ("d/s", "dir"), ("d/s/x", b"1")))
        two = await self.add(layers, one.chain_id, tar(("d", "dir"), ("d/.wh..wh..opq", b""), ("d/b", b"2")))
        late = await self.add(layers, one.chain_id, tar(("d", "dir"), ("d/b", b"2"), ("d/.wh..wh..opq", b"")))
        for layer in (two, late):
            with Opened(await snapshots.prepare("c" + layer.diff_id[-4:], layer.chain_id)) as root:
                assert root.names("d") == ["b"]

    async def test_a_whiteout_does_not_touch_its_own_layer(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"old"), ("d", "dir"), ("d/old", b"1")))
        two = await self.add(
            layers, one.chain_id, tar(("a", b"new"), (".wh.a", b""), (".wh.d", b""), ("d", "dir"), ("d/new", b"2"), (".wh.never", b""))
        )
        with Opened(await snapshots.prepare("c", two.chain_id)) as root:
            assert root.read("a") == b"new"
            assert root.names("d") == ["new"]

    async def test_a_file_replaces_a_directory_and_the_other_way_round(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", "dir"), ("a/x", b"1"), ("b", b"file"), ("c", "->b")))
        two = await self.add(layers, one.chain_id, tar(("a", b"now a file"), ("b", "dir"), ("b/y", b"2"), ("c", b"plain")))
        with Opened(await snapshots.prepare("c", two.chain_id)) as root:
            assert root.read("a") == b"now a file"
            assert root.names("b") == ["y"]
            assert root.read("c") == b"plain"

    async def test_owners_modes_times_links_and_devices_arrive(self, layers, snapshots):
        layer = await self.add(
            layers,
            None,
            tar(
                ("suid", b"x", {"mode": 0o4711, "uid": 1000, "gid": 1001}),
                ("sticky", "dir", {"mode": 0o1777}),
                ("sgid", "dir", {"mode": 0o2775, "gid": 50}),
                ("sgid/inside", b"y"),
                ("hard", "=suid"),
                ("soft", "->/etc/passwd", {"uid": 7}),
                ("null", (1, 3), {"mode": 0o666}),
            ),
        )
        with Opened(await snapshots.prepare("c", layer.chain_id)) as root:
            found = root.stat("suid")
            assert (found.st_mode & 0o7777, found.st_uid, found.st_gid, found.st_mtime) == (0o4711, 1000, 1001, 1_700_000_000)
            assert root.stat("hard").st_nlink == 2 or root.stat("hard").st_ino == found.st_ino
            assert root.stat("sticky").st_mode & 0o7777 == 0o1777
            assert (root.stat("sgid").st_mode & 0o7777, root.stat("sgid").st_gid) == (0o2775, 50)
            assert root.stat("sgid/inside").st_gid == 0
            assert root.stat("sgid").st_mtime == 1_700_000_000
            assert (os.readlink("soft", dir_fd=root.fd), root.stat("soft").st_uid) == ("/etc/passwd", 7)
            assert root.stat("null").st_rdev == os.makedev(1, 3)

    async def test_names_that_are_not_text_and_long_ones_arrive(self, layers, snapshots):
        long = "d" * 90 + "/" + "e" * 90 + "/" + "f" * 200
        name = os.fsdecode(b"caf\xe9")
        layer = await self.add(layers, None, tar((long, b"deep"), (name, b"latin")))
        with Opened(await snapshots.prepare("c", layer.chain_id)) as root:
            assert root.read(long) == b"deep"
            assert root.read(name) == b"latin"

    async def test_extended_attributes_arrive_but_not_overlayfs_own(self, layers, snapshots):
        data = tar(
            ("d", "dir", {"pax_headers": {"SCHILY.xattr.trusted.overlay.redirect": "/etc"}}),
            ("f", b"x", {"pax_headers": {"SCHILY.xattr.user.note": "hello", "SCHILY.xattr.trusted.overlay.opaque": "y"}}),
        )
        layer = await self.add(layers, None, data)
        with Opened(await snapshots.prepare("c", layer.chain_id)) as root:
            fd = os.open("f", os.O_RDONLY, dir_fd=root.fd)
            assert os.getxattr(fd, "user.note") == b"hello"
            os.close(fd)
        assert "trusted.overlay.redirect" not in os.listxattr(layers.tree(layer.chain_id) / "diff" / "d")

    @pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
    async def test_compressed_layers_have_the_plain_tars_identity(self, layers, kind):
        import bz2
        import gzip
        import lzma

        import zstandard

        pack = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.compress}[kind]
        data = tar(("a", os.urandom(100_000)), ("b", b"x" * 300_000))
        layer = await self.add(layers, None, pack(data), expected=digest(data))
        assert layer.diff_id == digest(data)
        assert layer.tar_size == len(data)
        assert not layer.recipe

    async def test_the_tar_comes_back_byte_for_byte(self, layers):
        data = tar(("d", "dir"), ("d/big", os.urandom(300_000)), ("d/empty", b""), ("h", "=d/big"), ("l" * 150, b"z" * 513)) + bytes(4096)
        layer = await self.add(layers, None, data)
        assert layer.recipe
        assert await self.content(layers, layer.chain_id) == data

    async def test_a_tar_with_a_member_twice_has_no_recipe(self, layers, snapshots):
        layer = await self.add(layers, None, tar(("a", b"first"), ("a", b"second, longer")))
        assert not layer.recipe
        with pytest.raises(NotFoundError):
            await self.content(layers, layer.chain_id)
        with Opened(await snapshots.prepare("c", layer.chain_id)) as root:
            assert root.read("a") == b"second, longer"

    async def test_the_wrong_digest_leaves_nothing(self, layers):
        with pytest.raises(InvalidParameterError, match="invalid diffID"):
            await self.add(layers, None, tar(("a", b"1")), expected="sha256:" + "0" * 64)
        assert not layers.all()
        assert not list((layers.home / "layers").iterdir())
        assert not list((layers.home / "aside").iterdir())

    @pytest.mark.parametrize("damage", ["cut", "garbage", "gzip", "header"])
    async def test_a_broken_archive_leaves_nothing(self, layers, damage):
        import gzip

        data = tar(("a", b"1" * 5000), ("b", b"2"))
        broken = {
            "cut": data[:3000],
            "garbage": os.urandom(4096),
            "gzip": gzip.compress(data, 0)[:-2000],
            "header": data[:5632] + b"\xff" * 512 + data[6144:],
        }[damage]
        with pytest.raises(InvalidParameterError):
            await self.add(layers, None, broken)
        assert not layers.all()
        assert not list((layers.home / "aside").iterdir())

    async def test_a_known_layer_is_not_applied_again(self, layers):
        data = tar(("a", b"1"))
        first = await self.add(layers, None, data)
        assert await self.add(layers, None, b"never read", expected=digest(data)) == first
        assert await self.add(layers, None, data) == first

    async def test_layers_of_one_ingest_appear_together_or_not_at_all(self, layers):
        with tempfile.TemporaryFile() as file:
            data = tar(("a", b"1"))
            file.write(data)
            file.flush()
            part = Part(file.fileno(), 0, len(data))
            with pytest.raises(ZeroDivisionError):
                async with layers.ingest() as ingest:
                    first = await ingest.add(None, part)
                    await ingest.add(first.chain_id, part)
                    assert not layers.all()
                    raise ZeroDivisionError
            assert not layers.all()
            async with layers.ingest() as ingest:
                first = await ingest.add(None, part)
                second = await ingest.add(first.chain_id, part)
        assert set(layers.all()) == {first.chain_id, second.chain_id}

    async def test_collect_removes_what_nothing_needs(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"1")))
        two = await self.add(layers, one.chain_id, tar(("b", b"2")))
        three = await self.add(layers, two.chain_id, tar(("c", b"3")))
        await snapshots.prepare("c", two.chain_id)
        assert layers.collect([three.chain_id]) == []
        assert [layer.chain_id for layer in layers.collect(snapshots.parents())] == [three.chain_id]
        with layers.leases.hold(one.chain_id):
            await snapshots.remove("c")
            assert [layer.chain_id for layer in layers.collect(snapshots.parents())] == [two.chain_id]
        assert [layer.chain_id for layer in layers.collect([])] == [one.chain_id]
        assert not list((layers.home / "layers").iterdir())

    async def test_a_restart_finds_everything_and_sweeps_the_rest(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"1")))
        before = await snapshots.prepare("c", one.chain_id)
        (layers.home / "aside" / "half").mkdir()
        (layers.home / "layers" / ("0" * 64)).mkdir()
        (layers.home / "layers" / (("0" * 64) + ".init")).mkdir()
        (layers.home / "snapshots" / "half").mkdir()
        again, known = self.reopened(layers)
        assert again.all() == layers.all()
        assert known.keys() == ["c"]
        assert await known.mounts("c") == before
        assert sorted(path.name[:4] for path in (layers.home / "layers").iterdir()) == [one.chain_id[7:11]] * 2
        assert not list((layers.home / "aside").iterdir())
        assert await self.content(again, one.chain_id) == tar(("a", b"1"))

    # ---------------------------------------------------------------- snapshots

    async def test_a_snapshot_is_found_again(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"1")))
        first = await snapshots.prepare("c", one.chain_id)
        assert await snapshots.prepare("c", one.chain_id) == first
        assert await snapshots.mounts("c") == first
        with pytest.raises(NotFoundError):
            await snapshots.mounts("other")

    async def test_what_a_power_cut_empties_is_not_needed_to_find_a_snapshot(self, layers, snapshots):
        """A journal keeps names in order; the content of a file that nobody synced is gone, and then it is empty."""
        one = await self.add(layers, None, tar(("a", b"1")))
        before = [await snapshots.prepare("c", one.chain_id), await snapshots.prepare("d", None)]
        for path in (layers.home / "snapshots").glob("*/*"):
            if path.is_file():
                path.write_bytes(b"")
        _, known = self.reopened(layers)
        assert [known.parent("c"), known.parent("d")] == [one.chain_id, None]
        assert [await known.mounts("c"), await known.mounts("d")] == before

    async def test_siblings_do_not_see_each_others_writes(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"image")))
        with Opened(await snapshots.prepare("x", one.chain_id)) as x, Opened(await snapshots.prepare("y", one.chain_id)) as y:
            x.write("a", b"changed by x")
            x.write("new", b"")
            assert y.read("a") == b"image"
            assert "new" not in y.names()
        assert await self.content(layers, one.chain_id) == tar(("a", b"image"))

    async def test_a_removed_snapshot_is_gone_at_once(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"1")))
        await snapshots.prepare("c", one.chain_id)
        await snapshots.remove("c")
        await snapshots.remove("c")
        assert snapshots.keys() == []
        assert not list((layers.home / "snapshots").iterdir())
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            assert root.read("a") == b"1"

    async def test_a_snapshot_without_layers(self, layers, snapshots):
        with Opened(await snapshots.prepare("c", None)) as root:
            assert set(root.names()) == MOUNTPOINTS
            root.write("a", b"1")
        assert await snapshots.changes("c") == [("/a", 1)]
        layer = await self.commit(layers, snapshots, "c")
        assert layer.parent is None
        assert layer.size == 1

    async def test_mount_points_are_there_and_no_change(self, layers, snapshots):
        one = await self.add(
            layers, None, tar(("etc", "dir", {"mode": 0o700}), ("etc/hosts", b"mine"), ("etc/resolv.conf", "->/run/resolv"))
        )
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            assert root.names("etc") == ["hostname", "hosts", "mtab", "resolv.conf"]
            assert root.read("etc/hosts") == b"mine"
            assert root.stat("etc").st_mode & 0o777 == 0o700
            assert root.names("dev") == ["console", "pts", "shm"]
        assert await snapshots.changes("c") == []
        layer = await self.commit(layers, snapshots, "c")
        assert layer.diff_id == digest(bytes(1024))

    async def test_changes_are_told_as_docker_does(self, layers, snapshots):
        one = await self.add(
            layers, None, tar(("d", "dir"), ("d/keep", b"1"), ("d/gone", b"1"), ("d/mod", b"1"), ("e", "dir"), ("e/x", b""))
        )
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            root.remove("d/gone")
            root.write("d/mod", b"changed")
            root.write("d/new", b"new")
            os.mkdir("n", dir_fd=root.fd)
            root.write("n/f", b"")
            os.symlink("keep", "d/link", dir_fd=root.fd)
        assert await snapshots.changes("c") == [
            ("/d", 0),
            ("/d/gone", 2),
            ("/d/link", 1),
            ("/d/mod", 0),
            ("/d/new", 1),
            ("/n", 1),
            ("/n/f", 1),
        ]
        assert await snapshots.usage("c") == len("changed") + len("new") + len("keep")

    async def test_a_commit_is_one_layer_with_all_changes(self, layers, snapshots):
        one = await self.add(layers, None, tar(("d", "dir"), ("d/a", b"1"), ("d/gone", b"1"), ("o", "dir"), ("o/x", b"1"), ("r", "dir")))
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            root.remove("d/gone")
            root.write("d/a", b"changed")
            root.remove("o/x")
            os.rmdir("o", dir_fd=root.fd)
            os.mkdir("o", dir_fd=root.fd)
            root.write("o/y", b"2")
            os.rmdir("r", dir_fd=root.fd)
            root.write("big", b"0123456789" * 50_000)
            os.link("big", "twin", src_dir_fd=root.fd, dst_dir_fd=root.fd)
            os.mknod("pipe", stat.S_IFIFO | 0o600, dir_fd=root.fd)
            fd = os.open("d/a", os.O_RDONLY, dir_fd=root.fd)
            os.setxattr(fd, "user.k", b"v")
            os.close(fd)
            wanted = root.tree()
        layer = await self.commit(layers, snapshots, "c")
        assert layer.parent == one.chain_id
        data = await self.content(layers, layer.chain_id)
        assert digest(data) == layer.diff_id
        with Opened(await snapshots.prepare("again", layer.chain_id)) as root:
            assert root.tree() == wanted
            assert root.read("d/a") == b"changed"
            assert root.names("o") == ["y"]
            assert root.stat("big").st_nlink == 2 or root.stat("big").st_ino == root.stat("twin").st_ino
            fd = os.open("d/a", os.O_RDONLY, dir_fd=root.fd)
            assert os.getxattr(fd, "user.k") == b"v"
            os.close(fd)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            names = set(archive.getnames())
        assert {"d/.wh.gone", ".wh.r", "d/a", "o/y"} <= names
        assert "dev" not in names

    async def test_a_file_capability_alone_is_a_change(self, layers, snapshots):
        # VFS_CAP_REVISION_2 with cap_net_raw, as setcap(8) writes it.
        capability = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
        one = await self.add(layers, None, tar(("ping", b"1", {"mode": 0o755}), ("other", b"1")))
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            fd = os.open("ping", os.O_RDONLY, dir_fd=root.fd)
            os.setxattr(fd, "security.capability", capability)
            os.close(fd)
        assert await snapshots.changes("c") == [("/ping", 0)]
        layer = await self.commit(layers, snapshots, "c")
        with Opened(await snapshots.prepare("again", layer.chain_id)) as root:
            fd = os.open("ping", os.O_RDONLY, dir_fd=root.fd)
            assert os.getxattr(fd, "security.capability") == capability
            os.close(fd)

    async def test_an_attribute_of_a_directory_is_a_change(self, layers, snapshots):
        one = await self.add(layers, None, tar(("d", "dir"), ("d/f", b"1")))
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            fd = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root.fd)
            os.setxattr(fd, "user.note", b"x")
            os.close(fd)
        layer = await self.commit(layers, snapshots, "c")
        with Opened(await snapshots.prepare("again", layer.chain_id)) as root:
            fd = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root.fd)
            assert os.getxattr(fd, "user.note") == b"x"
            assert root.read("d/f") == b"1"
            os.close(fd)

    async def test_forty_layers_stack(self, layers, snapshots):
        parent = None
        for number in range(40):
            parent = (await self.add(layers, parent, tar((f"f{number}", b"%d" % number), ("last", b"%d" % number)))).chain_id
        with Opened(await snapshots.prepare("c", parent)) as root:
            assert root.read("last") == b"39"
            assert len([name for name in root.names() if name.startswith("f")]) == 40

    async def test_unsafe_keys_are_refused(self, snapshots):
        for key in ("", "../x", "a/b", ".hidden"):
            with pytest.raises(InvalidParameterError):
                await snapshots.prepare(key, None)
