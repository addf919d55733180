"""Images of several platforms with attestations: what is kept of an index, told of it, handed out and removed."""

import io
import json
import tarfile
from types import SimpleNamespace

import pytest

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.images.using import User
from fakes.registry import digest_of, layer
from suites.image_host import QUICK, Host, statuses

pytestmark = pytest.mark.root

STATEMENT = b'{"predicateType":"https://slsa.dev/provenance/v0.2","predicate":{"a":1}}'
NAME = "docker.io/library/multi:1"


@pytest.fixture
async def host(tmp_path):
    (tmp_path / "host").mkdir()
    host = await Host(tmp_path / "host", registries=QUICK).start()
    yield host
    await host.stop()


@pytest.fixture
def index(registry):
    """An index of amd64, arm64 and s390x with an attestation of the first."""
    amd64 = registry.add_image("m", "", [layer("amd")])
    arm64 = registry.add_image("m", "", [layer("arm")], architecture="arm64", variant="v8")
    s390x = registry.add_image("m", "", [layer("z")], architecture="s390x")
    proof = registry.add_proof("m", amd64, STATEMENT)
    entries = [
        registry.described("m", amd64, platform={"architecture": "amd64", "os": "linux"}),
        registry.described("m", arm64, platform={"architecture": "arm64", "os": "linux", "variant": "v8"}),
        registry.described("m", s390x, platform={"architecture": "s390x", "os": "linux"}),
        proof,
    ]
    root = registry.add_index("m", "1", *entries)
    return SimpleNamespace(root=root, amd64=amd64, arm64=arm64, s390x=s390x, proof=proof["digest"])


def layout(registry, index, *, without=("s390x",), name=NAME):
    """Return the archive without the manifests (and what only they name) of some platforms."""
    gone = set()
    for one in without:
        digest = getattr(index, one)
        manifest = json.loads(registry.manifests["m"][digest][1])
        gone |= {digest, manifest["config"]["digest"], *(blob["digest"] for blob in manifest["layers"])}
    return registry.layout("m", "1", name, without=gone)


async def listed(host, **options):
    (one,) = await host.images.list_(all=True, filters={}, manifests=True, **options)
    return one


def available(image):
    return [manifest["ID"] for manifest in image.manifests if manifest["Available"]]


def files(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}


async def test_a_layout_is_one_image_with_all_that_came(host, registry, index):
    assert await host.load(layout(registry, index)) == [{"stream": "Loaded image: multi:1\n"}]
    image = await listed(host)
    assert image.descriptor == {
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": index.root,
        "size": image.descriptor["size"],
    }
    assert [manifest["ID"] for manifest in image.manifests] == [index.amd64, index.arm64, index.s390x, index.proof]
    assert available(image) == [index.amd64, index.arm64, index.proof]
    assert [manifest["Kind"] for manifest in image.manifests] == ["image", "image", "image", "attestation"]
    amd64, _, s390x, proof = image.manifests
    assert amd64["ImageData"] == {"Platform": {"architecture": "amd64", "os": "linux"}, "Size": {"Unpacked": 1000}, "Containers": None}
    assert amd64["Size"]["Total"] == amd64["Size"]["Content"] + 1000
    assert s390x["Size"] == {"Content": 0, "Total": 0}
    assert proof["AttestationData"] == {"For": index.amd64}
    assert proof["Size"]["Content"] > len(STATEMENT)
    assert host.images.disk_usage() == 2000 + host.content.total()
    documents = len(registry.manifests["m"][index.root][1])
    assert sum(manifest["Size"]["Content"] for manifest in image.manifests) + documents == host.content.total()


async def test_each_platform_is_found_by_its_name_and_missing_ones_in_dockers_words(host, registry, index):
    await host.load(layout(registry, index))
    plain = await host.images.inspect("multi:1", manifests=True)
    arm64 = await host.images.inspect("multi:1", platform="linux/arm64")
    assert (plain.architecture, arm64.architecture, len(plain.manifests)) == ("amd64", "arm64", 4)
    assert (plain.descriptor["digest"], arm64.descriptor["digest"]) == (index.root, index.arm64)
    assert arm64.repo_tags == plain.repo_tags == ("multi:1",)
    assert arm64.descriptor["platform"]["variant"] == "v8"
    assert (await host.images.resolve("multi:1", "linux/arm64")).id == arm64.id == (await host.images.inspect(index.arm64)).id
    assert (await host.images.history("multi:1", platform="linux/arm64/v8"))[:1] == (await host.images.history(arm64.id))[:1]
    words = r"image with reference multi:1 was found but does not provide the specified platform \(linux/s390x\)"
    for act in (host.images.inspect, host.images.history, host.images.resolve, host.images.save):
        subject = ["multi:1"] if act == host.images.save else "multi:1"
        with pytest.raises(NotFoundError, match=words):
            await act(subject, platform="linux/s390x")
    with pytest.raises(InvalidParameterError, match="manifests and platform options cannot both be set"):
        await host.images.inspect("multi:1", platform="linux/arm64", manifests=True)
    for text in (index.root, f"multi@{index.root}", plain.id):
        assert (await host.images.inspect(text)).id == plain.id
    assert host.images.display_name(arm64.id, "multi:1") == "multi:1"
    assert arm64.id in host.images.descendants("multi:1")


async def test_a_statement_is_told_about_the_manifest_that_it_is_about(host, registry, index):
    await host.load(layout(registry, index))
    (told,) = await host.images.attestations("multi:1", platform="", types=(), whole=True)
    assert (told["PredicateType"], bytes(told["Statement"])) == ("https://slsa.dev/provenance/v0.2", STATEMENT)
    (told,) = await host.images.attestations("multi:1", platform="", types=[told["PredicateType"]], whole=False)
    assert "Statement" not in told
    assert await host.images.attestations("multi:1", platform="", types=["other"], whole=False) == []
    assert await host.images.attestations("multi:1", platform="linux/arm64", types=(), whole=False) == []


async def test_what_is_saved_is_loaded_alike_whole_or_one_platform(host, registry, index, tmp_path):
    await host.load(layout(registry, index))
    before = await listed(host)
    whole, arm64 = await host.save("multi:1"), await host.save("multi:1", platform="linux/arm64")
    entries = json.loads(files(arm64)["index.json"])["manifests"]
    assert [entry["digest"] for entry in entries] == [index.arm64]
    assert [len(json.loads(files(archive)["manifest.json"])) for archive in (whole, arm64)] == [1, 1]
    await host.images.remove("multi:1", force=False, prune=True)
    await host.settled()
    assert host.left()[:2] == ([], [])
    assert await host.load(whole) == [{"stream": "Loaded image: multi:1\n"}]
    assert (await listed(host)).manifests == before.manifests
    await host.images.remove("multi:1", force=False, prune=True)
    await host.load(arm64)
    assert available(await listed(host)) == [index.arm64]


async def test_one_platform_of_an_archive_is_loaded(host, registry, index):
    archive = layout(registry, index)
    assert await host.load(archive, platform="linux/arm64") == [{"stream": "Loaded image: multi:1\n"}]
    assert available(await listed(host)) == [index.arm64, index.proof]
    assert (await host.images.inspect("multi:1")).architecture == "arm64"
    # The rest of it, loaded later, is the same image, and the host's own platform stands for it then.
    await host.load(archive)
    assert available(await listed(host)) == [index.amd64, index.arm64, index.proof]
    assert (await host.images.inspect("multi:1")).architecture == "amd64"
    with pytest.raises(InvalidParameterError, match=r"requested platform \(linux/s390x\) found, but some content is missing: .*not found"):
        await host.load(archive, platform="linux/s390x")
    with pytest.raises(InvalidParameterError, match="no image of the archive is for the platform linux/ppc64le"):
        await host.load(archive, platform="linux/ppc64le")


async def test_a_pull_keeps_the_index_and_one_platform_after_another(host, registry, index):
    name = f"{registry.host}/m"
    await host.pull(name, "1", platform="linux/amd64")
    image = await listed(host)
    assert (available(image), image.descriptor["digest"]) == ([index.amd64], index.root)
    messages = await host.pull(name, "1", platform="linux/arm64")
    assert statuses(messages)[-1] == f"Status: Image is up to date for {name}:1"
    image = await listed(host)
    assert (available(image), image.repo_tags) == ([index.amd64, index.arm64], (f"{name}:1",))
    asked = len(registry.asked)
    assert statuses(await host.pull(name, "1", platform="linux/arm64"))[-1] == f"Status: Image is up to date for {name}:1"
    assert [method for method, path in registry.asked[asked:] if path != "/v2/"] == ["HEAD"]
    await host.restart()
    assert available(await listed(host)) == [index.amd64, index.arm64]
    assert (await host.images.inspect(f"{name}:1")).architecture == "amd64"


async def test_the_first_platform_gives_way_to_the_hosts_own(host, registry, index):
    name = f"{registry.host}/m"
    await host.pull(name, "1", platform="linux/s390x")
    assert (await host.images.inspect(f"{name}:1")).architecture == "s390x"
    await host.pull(name, "1", platform="linux/amd64")
    assert (await host.images.inspect(f"{name}:1")).architecture == "amd64"
    assert available(await listed(host)) == [index.amd64, index.s390x]


async def test_a_whole_index_is_pushed_byte_for_byte(host, registry, index):
    await host.load(layout(registry, index, without=()))
    await host.images.tag("multi:1", f"{registry.host}/copy", "2")
    await host.push(f"{registry.host}/copy", "2")
    copied = registry.manifests["copy"]
    assert copied["2"] == registry.manifests["m"]["1"]
    assert {digest for digest in copied if digest != "2"} == {index.root, index.amd64, index.arm64, index.s390x, index.proof}
    assert registry.holds["copy"] == registry.holds["m"]
    assert (await host.images.inspect("multi:1")).repo_digests == (f"{registry.host}/copy@{index.root}",)


async def test_of_an_index_in_part_one_platform_is_pushed_and_the_client_told(host, registry, index):
    await host.load(layout(registry, index))
    name = f"{registry.host}/copy"
    await host.images.tag("multi:1", name, "2")
    messages = await host.push(name, "2")
    (told,) = [message["aux"] for message in messages if "manifestPushedInsteadOfIndex" in message.get("aux", ())]
    assert (told["originalIndex"]["digest"], told["selectedManifest"]["digest"]) == (index.root, index.amd64)
    assert digest_of(registry.manifests["copy"]["2"][1]) == index.amd64
    await host.push(name, "2", platform="linux/arm64")
    assert digest_of(registry.manifests["copy"]["2"][1]) == index.arm64
    with pytest.raises(NotFoundError, match="does not provide the specified platform"):
        await host.push(name, "2", platform="linux/s390x")


async def remove(host, *wanted, force=True, name="multi:1"):
    removed = await host.images.remove(name, force=force, prune=True, platforms=wanted)
    await host.settled()
    return removed


async def test_one_platform_is_removed_and_its_space_freed(host, registry, index):
    await host.load(layout(registry, index))
    before = host.images.disk_usage()
    with pytest.raises(InvalidParameterError, match="Use --force to force delete"):
        await remove(host, "linux/arm64", force=False)
    with pytest.raises(NotFoundError, match=r"does not provide the specified platform \(linux/ppc64le\)"):
        await remove(host, "linux/arm64", "linux/ppc64le")
    removed = await remove(host, "linux/arm64")
    assert removed[0] == {"Deleted": index.arm64}
    assert len(removed) == 2
    assert available(await listed(host)) == [index.amd64, index.proof]
    assert host.images.disk_usage() < before - 1000
    assert len(host.left()[0]) == 1


async def test_an_index_is_removed_by_its_digest_too(host, registry, index):
    await host.load(layout(registry, index))
    removed = await host.images.remove(index.root, force=False, prune=True)
    assert removed[0] == {"Untagged": "multi:1"}
    await host.settled()
    assert host.left()[:2] == ([], [])


async def test_the_names_stay_with_the_platform_that_is_left(host, registry, index):
    await host.load(layout(registry, index))
    await remove(host, "linux/amd64")
    assert (await host.images.inspect("multi:1")).architecture == "arm64"
    assert available(await listed(host)) == [index.arm64, index.proof]
    await host.restart()
    assert (await host.images.inspect("multi:1")).architecture == "arm64"
    assert (await remove(host, "linux/arm64", force=False))[0] == {"Untagged": "multi:1"}
    assert host.left()[:2] == ([], [])


async def test_a_container_of_any_platform_holds_the_image(host, registry, index):
    await host.load(layout(registry, index))
    arm64 = (await host.images.resolve("multi:1", "linux/arm64")).id
    host.used[arm64] = [User("c" * 64, running=True)]
    image = await listed(host)
    assert (image.containers, image.manifests[1]["ImageData"]["Containers"]) == (1, ["c" * 64])
    with pytest.raises(ConflictError, match="must force"):
        await host.images.remove("multi:1", force=False, prune=True)
    with pytest.raises(ConflictError, match="being used by running container"):
        await remove(host, "linux/arm64")
    assert await host.images.prune({"dangling": ["false"]}) == ([], 0)
    await remove(host, "linux/amd64")
    assert available(await listed(host)) == [index.arm64, index.proof]


async def test_a_prune_takes_all_of_an_index_and_counts_it(host, registry, index):
    await host.load(layout(registry, index))
    before = host.images.disk_usage()
    removed, freed = await host.images.prune({"dangling": ["false"]})
    await host.settled()
    assert (freed, host.images.disk_usage()) == (before, 0)
    assert len([one for one in removed if "Deleted" in one]) == 4
    assert host.left()[:2] == ([], [])


async def test_another_index_of_the_same_image_keeps_what_it_names(host, registry, index):
    entries = json.loads(registry.manifests["m"][index.root][1])["manifests"]
    other = registry.add_image("m", "", [layer("other")])
    own = registry.described("m", other, platform={"architecture": "amd64", "os": "linux"})
    registry.add_index("m", "2", own, entries[1])
    name = f"{registry.host}/m"
    for tag, platform in (("1", "linux/amd64"), ("1", "linux/arm64"), ("2", "linux/amd64")):
        await host.pull(name, tag, platform=platform)
    assert len(await host.images.list_(all=True, filters={})) == 2
    await host.images.remove(f"{name}:1", force=False, prune=True)
    (left,) = await host.images.list_(all=True, filters={}, manifests=True)
    assert available(left) == [other, index.arm64]
    await host.images.remove(f"{name}:2", force=False, prune=True)
    await host.settled()
    assert host.left()[:2] == ([], [])


async def test_what_images_take_of_the_disk_counts_kept_blobs_and_adds_up(host, registry, index):
    await host.load(layout(registry, index))
    (whole,) = await host.images.usage()
    assert (whole.size, whole.shared_size) == (host.images.disk_usage(), 0)
    registry.add_image("m", "twin", [layer("amd"), layer("more")])
    await host.pull(f"{registry.host}/m", "twin")
    twin, same = sorted(await host.images.usage(), key=lambda one: "multi:1" in one.repo_tags)
    shared = 1000 + host.content.size(json.loads(registry.manifests["m"][index.amd64][1])["layers"][0]["digest"])
    assert (same.size, same.shared_size, twin.shared_size) == (whole.size, shared, shared)
    assert twin.size + same.size - shared == host.images.disk_usage() == host.images.layers_size()
