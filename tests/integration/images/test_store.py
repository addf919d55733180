import gzip
import hashlib
import io
import json
import tarfile

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.images.model import CommitRequest
from argosy.images.using import User
from argosy.oci.config import Config
from argosy.storage.limits import Limits
from suites.snapshots import Opened, digest, tar

pytestmark = pytest.mark.root


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}


def docker_archive(*layers, tags=("old:1",), config=None, damage=False):
    """An archive of `docker save` before version 25."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-02T03:04:05.6Z",
        "config": {"Cmd": ["sh"], "Env": ["A=1"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(gzip.decompress(x) if x[:2] == b"\x1f\x8b" else x) for x in layers]},
        "history": [{"created_by": f"step {number}"} for number in range(len(layers))],
        **(config or {}),
    }
    data = json.dumps(config).encode()
    name = hashlib.sha256(data).hexdigest() + ".json"
    files = [(name, data)]
    for number, layer in enumerate(layers):
        files += [(f"l{number}", "dir"), (f"l{number}/layer.tar", layer[:-20] + b"\xff" * 20 if damage else layer)]
    manifest = [{"Config": name, "RepoTags": list(tags), "Layers": [f"l{number}/layer.tar" for number in range(len(layers))]}]
    files.append(("manifest.json", json.dumps(manifest).encode()))
    return tar(*files), "sha256:" + name[:-5]


BASE = tar(("bin", "dir"), ("bin/sh", b"#!" * 100), ("etc", "dir"), ("etc/passwd", b"root:x:0:0::/:/bin/sh\n"))
NEXT = tar(("data", "dir"), ("data/x", b"x" * 70_000), ("bin", "dir"), ("bin/.wh.sh", b""))


async def test_import_makes_an_image_of_one_layer(host):
    image_id = await host.import_(BASE, "busybox", changes=['CMD ["sh"]', "ENV A=1"], message="hello")
    view = await host.images.resolve("busybox")
    assert view.id == image_id == host.images.view(image_id).id
    assert view.chain_id == digest(BASE)
    assert (view.config.cmd, view.config.env) == (("sh",), ("A=1",))
    assert (view.os, view.size) == ("linux", 200 + 22)
    detail = await host.images.inspect("busybox")
    assert (detail.repo_tags, detail.comment, detail.diff_ids) == (("busybox:latest",), "hello", (digest(BASE),))
    assert detail.graph_data["UpperDir"].endswith("/diff")
    assert host.actions() == ["tag", "import"]
    assert [entry.comment for entry in await host.images.history("busybox")] == ["hello"]


async def test_an_image_is_found_by_every_kind_of_name(host):
    image_id = await host.import_(BASE, "busybox", "1")
    manifest = (await host.images.resolve(image_id)).manifest
    for name in (
        "busybox:1",
        "docker.io/library/busybox:1",
        image_id,
        image_id[7:],
        image_id[7:19],
        image_id[:15],
        manifest,
        f"busybox@{manifest}",
        f"busybox:1@{manifest}",
        f"busybox@{image_id}",
    ):
        assert (await host.images.resolve(name)).id == image_id, name
    for name, words in (
        ("busybox", "No such image: busybox:latest"),
        ("other@" + manifest, f"No such image: other@{manifest}"),
        ("sha256:0123", "No such image: sha256:0123"),
        ("0" * 64, "No such image: sha256:" + "0" * 64),
    ):
        with pytest.raises(NotFoundError) as caught:
            await host.images.resolve(name)
        assert str(caught.value) == words
    with pytest.raises(InvalidParameterError, match=r"repository name \(library/Foo\) must be lowercase"):
        await host.images.resolve("Foo")


async def test_the_platform_must_fit(host):
    await host.import_(BASE, "x", platform="linux/arm64")
    await host.images.resolve("x", "linux/arm64")
    with pytest.raises(NotFoundError) as caught:
        await host.images.resolve("x", "linux/amd64")
    assert str(caught.value) == (
        "image with reference x was found but its platform (linux/arm64) does not match the specified platform (linux/amd64)"
    )


async def test_everything_is_there_after_a_restart(host):
    image_id = await host.import_(BASE, "busybox")
    await host.load(docker_archive(BASE, NEXT)[0])
    before = (host.left(), await host.images.list_(all=True, filters={}))
    await host.restart()
    assert (host.left(), await host.images.list_(all=True, filters={})) == before
    assert (await host.images.resolve("busybox")).id == image_id


async def test_load_and_save_give_the_same_layers_back(host):
    archive, image_id = docker_archive(BASE, NEXT)
    assert await host.load(archive) == [{"stream": "Loaded image: old:1\n"}]
    assert host.actions() == ["tag", "load"]
    saved = await host.save("old:1")
    files = members(saved)
    manifest = json.loads(files["manifest.json"])[0]
    assert manifest["RepoTags"] == ["old:1"]
    assert [files[name] for name in manifest["Layers"]] == [BASE, NEXT]
    assert digest(files[manifest["Config"]]) == image_id
    for name, data in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(data).hexdigest() == name[13:]
    assert json.loads(files["repositories"]) == {"old": {"1": digest(NEXT)[7:]}}
    index = json.loads(files["index.json"])
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "docker.io/library/old:1"
    await host.images.remove("old:1", force=False, prune=True)
    assert host.left()[:2] == ([], [])
    assert await host.load(saved) == [{"stream": "Loaded image: old:1\n"}]
    assert members(await host.save("old:1")) == files


async def test_compressed_layers_stay_compressed(host):
    packed = gzip.compress(BASE, mtime=0)
    archive, image_id = docker_archive(packed, NEXT)
    await host.load(archive)
    files = members(await host.save(image_id))
    manifest = json.loads(files["manifest.json"])[0]
    assert manifest["RepoTags"] is None
    assert [files[name] for name in manifest["Layers"]] == [packed, NEXT]
    assert (await host.images.inspect("old:1")).diff_ids == (digest(BASE), digest(NEXT))


async def test_an_oci_layout_keeps_its_manifest(host):
    packed = gzip.compress(BASE, mtime=0)
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(BASE)]}}).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(packed), "size": len(packed)}],
            "annotations": {"kept": "yes"},
        },
        indent=3,
    ).encode()
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest(manifest),
                "size": len(manifest),
                "annotations": {"org.opencontainers.image.ref.name": "example.org/a/b:3"},
            }
        ],
    }
    blobs = [(f"blobs/sha256/{digest(data)[7:]}", data) for data in (config, manifest, packed)]
    await host.load(tar(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", json.dumps(index).encode()), *blobs))
    view = await host.images.resolve("example.org/a/b:3")
    assert view.manifest == digest(manifest)
    files = members(await host.save("example.org/a/b:3"))
    assert files[f"blobs/sha256/{digest(manifest)[7:]}"] == manifest
    assert files[f"blobs/sha256/{digest(packed)[7:]}"] == packed
    await host.images.remove("example.org/a/b:3", force=False, prune=True)
    assert host.left()[:2] == ([], [])


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"garbage", "unexpected EOF"),
        (tar(("x", b"1")), "open repositories: no such file or directory"),
        (tar(("manifest.json", b"[{]")), "invalid manifest.json"),
        (tar(("manifest.json", b'[{"Config":"nope.json","Layers":[]}]')), "open nope.json: no such file or directory"),
        (docker_archive(BASE)[0][:1500], "unexpected EOF"),
        (docker_archive(BASE, config={"rootfs": None})[0], "invalid image JSON, no RootFS key"),
        (docker_archive(BASE, config={"rootfs": {"type": "layers", "diff_ids": []}})[0], "layers length mismatch: expected 1, got 0"),
        (docker_archive(BASE, config={"os": "windows"})[0], "cannot load windows image on linux"),
        (docker_archive(BASE, config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}})[0], "invalid diffID for layer 0"),
        (docker_archive(BASE, BASE[:700])[0], "unexpected EOF"),
        (docker_archive(BASE, gzip.compress(NEXT), damage=True)[0], ""),
        (docker_archive(BASE, tags=["Upper:1"])[0], "must be lowercase"),
        (docker_archive(BASE, tags=["notag"])[0], 'invalid tag "notag"'),
        (docker_archive(tar(("../../escape", b"x")))[0], 'is outside of "/"'),
    ],
)
async def test_a_broken_archive_leaves_nothing(host, archive, words):
    with pytest.raises(InvalidParameterError) as caught:
        await host.load(archive)
    assert words in str(caught.value)
    assert host.left() == ([], [], [], [], [])
    assert host.events.history() == ()
    assert await host.images.list_(all=True, filters={}) == []


async def test_a_name_moves_to_the_newer_image(host):
    old = await host.import_(BASE, "x")
    archive, new = docker_archive(NEXT, tags=["x:latest"])
    assert await host.load(archive) == [
        {"stream": f"The image x:latest already exists, renaming the old one with ID {old} to empty string\n"},
        {"stream": "Loaded image: x:latest\n"},
    ]
    assert (await host.images.resolve("x")).id == new
    assert host.images.display_name(old, "x") == old
    assert host.images.display_name(new, "x") == "x"
    assert [summary.id for summary in await host.images.list_(all=False, filters={"dangling": ["true"]})] == [old]


async def test_commit_adds_exactly_one_layer(host):
    base = await host.import_(BASE, "base")
    with Opened(await host.snapshots.prepare("c1", digest(BASE))) as root:
        root.write("new", b"content")
    request = CommitRequest("c1", base, "c1", Config(cmd=("run", "it")), "mine:v1", author="me", comment="why")
    image_id = await host.images.commit(request)
    detail = await host.images.inspect("mine:v1")
    assert len(detail.diff_ids) == 2
    assert (detail.id, detail.parent, detail.author, detail.comment, detail.config.cmd) == (image_id, base, "me", "why", ("run", "it"))
    history = await host.images.history("mine:v1")
    assert [(entry.id, entry.created_by, entry.size) for entry in history] == [(image_id, "run it", 7), (base, "", 222)]
    with Opened(await host.snapshots.prepare("c2", (await host.images.resolve("mine:v1")).chain_id)) as root:
        assert root.read("new") == b"content"
    before = members(await host.save("mine:v1"))
    with Opened(await host.snapshots.mounts("c2")) as root:
        root.write("bin/sh", b"changed by a container")
    assert members(await host.save("mine:v1")) == before


async def test_a_commit_without_changes_adds_only_history(host):
    base = await host.import_(BASE, "base")
    await host.snapshots.prepare("c1", digest(BASE))
    await host.images.commit(CommitRequest("c1", base, "c1", Config(), "same"))
    assert (await host.images.inspect("same")).diff_ids == (digest(BASE),)
    assert len(await host.images.history("same")) == 2


async def test_removing_follows_dockers_rules(host):
    image_id = await host.import_(BASE, "a")
    await host.images.tag("a", "b", "1")
    short = image_id[7:19]
    with pytest.raises(ConflictError) as caught:
        await host.images.remove(short, force=False, prune=True)
    assert str(caught.value) == f"conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
    assert await host.images.remove("a", force=False, prune=True) == [{"Untagged": "a:latest"}]
    host.used[image_id] = [User("f" * 64, running=False)]
    with pytest.raises(ConflictError) as caught:
        await host.images.remove("b:1", force=False, prune=True)
    assert str(caught.value) == (
        f'conflict: unable to remove repository reference "b:1" (must force) - container {"f" * 12} is using its referenced image {short}'
    )
    with pytest.raises(ConflictError) as caught:
        await host.images.remove(short, force=False, prune=True)
    assert str(caught.value) == f"conflict: unable to delete {short} (must be forced) - image is being used by stopped container {'f' * 12}"
    host.used[image_id] = [User("f" * 64, running=True)]
    with pytest.raises(ConflictError) as caught:
        await host.images.remove(short, force=True, prune=True)
    assert (
        str(caught.value) == f"conflict: unable to delete {short} (cannot be forced) - image is being used by running container {'f' * 12}"
    )
    host.used.clear()
    assert await host.images.remove("b:1", force=False, prune=True) == [
        {"Untagged": "b:1"},
        {"Deleted": image_id},
        {"Deleted": digest(BASE)},
    ]
    assert host.left()[:2] == ([], [])
    assert host.actions() == ["tag", "import", "tag", "untag", "untag", "delete"]


async def test_removing_by_force_leaves_what_a_container_stands_on(host):
    image_id = await host.import_(BASE, "a")
    await host.snapshots.prepare("c", digest(BASE))
    host.used[image_id] = [User("c" * 64, running=False)]
    assert await host.images.remove("a", force=True, prune=True) == [{"Untagged": "a:latest"}, {"Deleted": image_id}]
    with Opened(await host.snapshots.mounts("c")) as root:
        assert root.read("etc/passwd").startswith(b"root")
    await host.restart()
    assert len(host.layers.all()) == 1
    await host.snapshots.remove("c")
    await host.restart()
    assert not host.layers.all()


async def test_parents_without_a_name_go_with_their_child(host):
    base = await host.import_(BASE)
    with Opened(await host.snapshots.prepare("c1", digest(BASE))) as root:
        root.write("new", b"content")
    child = await host.images.commit(CommitRequest("c1", base, "c1", Config(), "child"))
    await host.snapshots.remove("c1")
    with pytest.raises(ConflictError, match="image has dependent child images"):
        await host.images.remove(base, force=True, prune=True)
    deleted = [one["Deleted"] for one in await host.images.remove("child", force=False, prune=True) if "Deleted" in one]
    assert deleted[0] == child
    assert base in deleted
    assert host.left()[:2] == ([], [])


async def test_listing_filters(host):
    first = await host.import_(BASE, "one", changes=["LABEL k=v"])
    host.clock.advance(10)
    second = await host.import_(NEXT, "two", "1")
    host.clock.advance(10)
    third = await host.import_(tar(("z", b"1")))

    async def ids(**filters):
        return [summary.id for summary in await host.images.list_(all=False, filters={k: [v] for k, v in filters.items()})]

    assert await ids() == [third, second, first]
    assert await ids(dangling="true") == [third]
    assert await ids(dangling="false") == [second, first]
    assert await ids(label="k=v") == [first]
    assert await ids(label="k") == [first]
    assert await ids(label="k=w") == []
    assert await ids(before="two:1") == [first]
    assert await ids(since="one") == [third, second]
    assert await ids(reference="t*") == [second]
    assert await ids(reference="two:1") == [second]
    assert await ids(reference="*:latest") == [first]
    assert await ids(until="15s") == [first]
    with pytest.raises(InvalidParameterError, match="invalid filter 'foo'"):
        await ids(foo="x")
    with pytest.raises(InvalidParameterError, match=r"invalid filter 'dangling=\[maybe\]'"):
        await ids(dangling="maybe")
    with pytest.raises(NotFoundError, match="No such image: nope:latest"):
        await ids(before="nope")
    one = (await host.images.list_(all=False, filters={}, shared_size=True))[-1]
    assert (one.repo_tags, one.created, one.size, one.shared_size, dict(one.labels)) == (("one:latest",), 1_700_000_000, 222, 0, {"k": "v"})


async def test_prune_removes_what_nobody_names_or_uses(host):
    dangling = await host.import_(BASE)
    used = await host.import_(NEXT)
    named = await host.import_(tar(("z", b"1")), "named")
    host.used[used] = [User("c" * 64, running=False)]
    deleted, freed = await host.images.prune({})
    assert deleted == [{"Deleted": dangling}, {"Deleted": digest(BASE)}]
    assert freed > 222
    deleted, _ = await host.images.prune({"dangling": ["false"]})
    assert deleted[:2] == [{"Untagged": "named:latest"}, {"Deleted": named}]
    assert list(host.images.catalog.all()) == [used]


async def test_names_that_cannot_be_are_refused_before_anything_is_read(host):
    with pytest.raises(InvalidParameterError, match="must be lowercase"):
        await host.import_(BASE, "Upper")
    with pytest.raises(InvalidParameterError, match="invalid tag format"):
        await host.import_(BASE, "a", "b c")
    await host.import_(BASE, "a")
    with pytest.raises(InvalidParameterError, match="cannot import digest reference"):
        await host.images.tag("a", "foo@sha256:" + "0" * 64, "")
    with pytest.raises(NotFoundError, match=r"No such image: nope$"):
        await host.save("nope")


async def test_a_tar_that_cannot_be_made_again_is_kept(host):
    twice = tar(("a", b"first"), ("a", b"second"))
    await host.import_(twice, "twice")
    await host.import_(gzip.compress(twice), "again")
    files = members(await host.save("twice"))
    assert files[f"blobs/sha256/{digest(twice)[7:]}"] == twice
    await host.load(docker_archive(twice, tags=["third:1"])[0])
    assert members(await host.save("third:1"))[f"blobs/sha256/{digest(twice)[7:]}"] == twice


async def test_save_takes_all_tags_of_a_repository(host):
    await host.import_(BASE, "r", "1")
    await host.images.tag("r:1", "r", "2")
    await host.import_(NEXT, "r", "3")
    manifest = json.loads(members(await host.save("r"))["manifest.json"])
    assert sorted(tag for entry in manifest for tag in entry["RepoTags"]) == ["r:1", "r:2", "r:3"]
    assert len(manifest) == 2


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
async def test_a_compressed_archive_is_loaded(host, kind):
    import bz2
    import lzma

    import zstandard

    pack = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.compress}[kind]
    image = await host.import_(tar(("a", b"1")), "x")
    archive = await host.save("x")
    await host.images.remove("x", force=True, prune=True)
    assert await host.load(pack(archive)) == [{"stream": "Loaded image: x:latest\n"}]
    assert (await host.images.resolve("x")).id == image


async def test_a_bomb_is_refused_and_leaves_nothing(host):
    host.layers.limits = Limits(size=1 << 20)
    bomb = gzip.compress(tar(("zeros", bytes(8 << 20))))
    assert len(bomb) < 20_000
    for act in (host.import_(bomb, "x"), host.load(bomb), host.import_(tar(("zeros", bytes(2 << 20))), "x")):
        with pytest.raises(InvalidParameterError, match="the limit of --max-archive-size"):
            await act
    assert host.left() == ([], [], [], [], [])


async def test_the_manifest_of_each_image_is_listed_when_asked_for(host):
    image = await host.import_(tar(("a", b"1234")), "x")
    host.used[image] = [User("c" * 64, running=False)]
    (plain,) = await host.images.list_(all=True, filters={})
    assert plain.manifests is None
    (listed,) = await host.images.list_(all=True, filters={}, manifests=True)
    (manifest,) = listed.manifests
    assert manifest["Descriptor"]["digest"] == manifest["ID"] == (await host.images.resolve("x")).manifest
    assert manifest["Descriptor"]["size"] == len(host.content.read(manifest["ID"]))
    assert manifest["Size"]["Content"] == host.content.total()
    assert manifest["Size"]["Total"] == host.content.total() + 4
    assert manifest["ImageData"]["Containers"] == ["c" * 64]
    assert manifest["ImageData"]["Platform"]["os"] == "linux"
