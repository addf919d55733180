"""Pulls from a registry that does, and breaks, as told."""

import asyncio
import json
import threading

import pytest

from argosy.base.errors import ArgosyError, NotFoundError, SystemFailureError
from fakes.registry import GZIP, OCI_INDEX, PLAIN, ZSTD, digest_of, layer
from suites.image_host import QUICK, Host, statuses

pytestmark = pytest.mark.root


@pytest.fixture
async def host(tmp_path):
    (tmp_path / "host").mkdir()
    host = await Host(tmp_path / "host", registries=QUICK).start()
    yield host
    await host.stop()


async def test_an_image_comes_with_dockers_messages(host, registry):
    digest = registry.add_image("a/b", "1", [layer("x"), layer("y")])
    messages = await host.pull(f"{registry.host}/a/b", "1")
    assert messages[0] == {"status": "Pulling from a/b", "id": "1"}
    blobs = [one["digest"][7:19] for one in json.loads(registry.manifests["a/b"][digest][1])["layers"]]
    assert messages[1:3] == [{"status": "Pulling fs layer", "progressDetail": {}, "id": one} for one in blobs]
    for blob in blobs:
        own = [message["status"] for message in messages if message.get("id") == blob]
        assert [*dict.fromkeys(own)] == [
            "Pulling fs layer",
            "Downloading",
            "Verifying Checksum",
            "Download complete",
            "Extracting",
            "Pull complete",
        ]
    assert statuses(messages)[-2:] == [f"Digest: {digest}", f"Status: Downloaded newer image for {registry.host}/a/b:1"]
    image = await host.images.inspect(f"{registry.host}/a/b:1")
    assert image.repo_digests == (f"{registry.host}/a/b@{digest}",)
    assert host.actions() == ["pull"]


@pytest.mark.parametrize("kind", [GZIP, ZSTD, PLAIN])
async def test_every_compression_is_taken_and_pushed_again_byte_for_byte(host, registry, kind):
    digest = registry.add_image("a", "1", [layer("x", kind=kind), layer("y", kind=kind)])
    await host.pull(f"{registry.host}/a", "1")
    await host.images.tag(f"{registry.host}/a:1", f"{registry.host}/b", "2")
    registry.mounts = False
    messages = await host.push(f"{registry.host}/b", "2")
    assert messages[-1]["aux"]["Digest"] == digest
    assert registry.manifests["b"]["2"] == registry.manifests["a"]["1"]
    assert registry.holds["b"] == registry.holds["a"]


async def test_the_blob_of_a_tar_that_can_be_made_again_is_not_kept(host, registry):
    one = layer("x", kind=PLAIN)
    registry.add_image("a", "1", [one])
    await host.pull(f"{registry.host}/a", "1")
    assert not host.content.has(digest_of(one[1]))


async def test_what_is_here_is_not_fetched_again(host, registry):
    shared = layer("x")
    registry.add_image("a", "1", [shared])
    registry.add_image("b", "1", [shared, layer("y")])
    await host.pull(f"{registry.host}/a", "1")
    again = await host.pull(f"{registry.host}/a", "1")
    assert statuses(again)[-1] == f"Status: Image is up to date for {registry.host}/a:1"
    messages = await host.pull(f"{registry.host}/b", "1")
    assert "Already exists" in statuses(messages)
    # A hub counts what is got, not what is asked for by HEAD.
    assert registry.count("GET", "a/manifests") == 1
    assert registry.served[digest_of(shared[1])] == len(shared[1])


async def test_an_index_gives_the_image_of_this_machine_and_its_digest(host, registry):
    own = registry.add_image("a", "", [layer("amd")])
    other = registry.add_image("a", "", [layer("arm")], architecture="arm64", variant="v8")
    proof = registry.add_manifest("a", "", {"mediaType": "application/vnd.oci.image.manifest.v1+json", "x": 1})
    unknown = {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    entries = [
        registry.described("a", proof, **unknown),
        registry.described("a", other, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
        registry.described("a", own, platform={"os": "linux", "architecture": "amd64"}),
    ]
    index = registry.add_manifest("a", "1", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
    await host.pull(f"{registry.host}/a", "1", platform="linux/amd64")
    image = await host.images.inspect(f"{registry.host}/a:1")
    assert (image.architecture, image.repo_digests) == ("amd64", (f"{registry.host}/a@{index}",))
    for text in (index, own, f"{registry.host}/a@{index}"):
        assert (await host.images.inspect(text)).id == image.id
    await host.pull(f"{registry.host}/a", index, platform="linux/arm64")
    assert (await host.images.inspect(f"{registry.host}/a@{index}", platform="linux/arm64/v8")).architecture == "arm64"
    with pytest.raises(NotFoundError, match="no matching manifest for linux/s390x in the manifest list entries"):
        await host.pull(f"{registry.host}/a", "1", platform="linux/s390x")


async def test_an_image_for_another_platform_is_pulled_with_a_warning(host, registry):
    registry.add_image("a", "1", [layer("x")])
    messages = await host.pull(f"{registry.host}/a", "1", platform="linux/arm64")
    assert messages[-1]["status"] == (
        f"WARNING: image with reference {registry.host}/a:1 was found but its platform (linux/amd64) "
        "does not match the specified platform (linux/arm64)"
    )


async def test_all_tags_come_page_by_page(host, registry):
    for tag in "abc":
        registry.add_image("x", tag, [layer("same"), layer(tag)])
    messages = await host.pull(f"{registry.host}/x")
    assert [message["id"] for message in messages if message["status"] == "Pulling from x"] == ["a", "b", "c"]
    assert statuses(messages)[-1] == f"Status: Downloaded newer image for {registry.host}/x"
    assert len(await host.images.list_(all=True, filters={})) == 3


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("no", "manifest for {host}/a:no not found: manifest unknown: manifest unknown"),
        ("sha256:" + "0" * 64, "manifest for {host}/a@sha256:" + "0" * 64 + " not found: manifest unknown: manifest unknown"),
    ],
)
async def test_what_a_registry_does_not_have_is_told_in_dockers_words(host, registry, tag, words):
    registry.add_image("a", "1", [layer("x")])
    with pytest.raises(NotFoundError) as caught:
        await host.pull(f"{registry.host}/a", tag)
    assert str(caught.value) == words.format(host=registry.host)


async def test_a_broken_connection_is_continued_where_it_broke(host, registry):
    one = layer("x", 900_000)
    digest = digest_of(one[1])
    registry.add_image("a", "1", [one])
    registry.breaks[digest] = [200_000, 500_000]
    await host.pull(f"{registry.host}/a", "1")
    assert registry.served[digest] == len(one[1])
    assert registry.count("GET", f"blobs/{digest}") == 3


async def test_a_registry_without_ranges_sends_all_of_it_again(host, registry):
    one = layer("x", 900_000)
    digest = digest_of(one[1])
    registry.add_image("a", "1", [one])
    registry.breaks[digest], registry.ranges = [200_000], False
    await host.pull(f"{registry.host}/a", "1")
    assert registry.served[digest] == len(one[1]) + 200_000


async def test_a_registry_that_keeps_breaking_is_given_up_and_what_came_is_kept(host, registry):
    one = layer("x", 900_000)
    digest = digest_of(one[1])
    registry.add_image("a", "1", [one, layer("y")])
    registry.breaks[digest] = [300_000] * 6
    with pytest.raises(SystemFailureError, match="unexpected EOF"):
        await host.pull(f"{registry.host}/a", "1")
    layers, _, asides, ingests, _ = host.left()
    assert (layers, asides) == ([], [])
    assert digest.replace(":", "-") in [path.name for path in ingests]
    registry.breaks.clear()
    host = await host.restart()
    await host.pull(f"{registry.host}/a", "1")
    assert registry.served[digest] == len(one[1])


async def test_a_prune_forgets_what_was_not_finished(host, registry):
    one = layer("x", 900_000)
    registry.add_image("a", "1", [one])
    registry.breaks[digest_of(one[1])] = [300_000] * 6
    with pytest.raises(SystemFailureError):
        await host.pull(f"{registry.host}/a", "1")
    _, freed = await host.images.prune({})
    assert freed == 300_000
    assert host.left()[3] == []


async def test_server_errors_are_tried_again_with_a_message(host, registry):
    one = layer("x")
    registry.add_image("a", "1", [one])
    registry.statuses[digest_of(one[1])] = [503, 500]
    await host.pull(f"{registry.host}/a", "1")
    assert registry.count("GET", f"blobs/{digest_of(one[1])}") == 3


async def test_a_wrong_digest_is_refused_and_leaves_nothing(host, registry):
    one = layer("x", 5000)
    registry.add_image("a", "1", [one])
    registry.blobs[digest_of(one[1])] = one[1][:-1] + b"!"
    with pytest.raises(SystemFailureError, match=f"filesystem layer verification failed for digest {digest_of(one[1])}"):
        await host.pull(f"{registry.host}/a", "1")
    layers, _, asides, ingests, _ = host.left()
    assert (layers, asides, ingests) == ([], [], [])
    assert await host.images.list_(all=True, filters={}) == []


async def test_a_layer_that_is_not_what_the_configuration_says_is_refused(host, registry):
    plain, _, kind = layer("x")
    registry.add_image("a", "1", [(plain, layer("y")[1], kind)])
    with pytest.raises(SystemFailureError, match="failed to register layer: invalid diffID for layer"):
        await host.pull(f"{registry.host}/a", "1")
    assert host.left()[0] == []


async def test_a_manifest_other_than_asked_for_is_refused(host, registry):
    digest = registry.add_image("a", "1", [layer("x")])
    kind, data = registry.manifests["a"][digest]
    registry.manifests["a"][digest] = (kind, data + b" ")
    with pytest.raises(ArgosyError, match=f"manifest verification failed for digest {digest}"):
        await host.pull(f"{registry.host}/a", digest)


async def test_two_pulls_of_one_image_share_the_work(host, registry):
    one = layer("x", 400_000)
    registry.add_image("a", "1", [one])
    registry.add_image("a", "2", [one])
    registry.gate = threading.Event()
    pulls = [asyncio.ensure_future(host.pull(f"{registry.host}/a", tag)) for tag in ("1", "2", "1")]
    while registry.count("HEAD", "manifests") < 3:
        await asyncio.sleep(0.01)
    registry.gate.set()
    told = [statuses(messages) for messages in await asyncio.gather(*pulls)]
    # One that comes to the layers last may find the image complete.
    assert any("Pull complete" in words for words in told)
    assert all(words[-1].startswith("Status: Downloaded newer image") for words in told)
    assert registry.served[digest_of(one[1])] == len(one[1])
    (image,) = await host.images.list_(all=True, filters={})
    assert image.repo_tags == (f"{registry.host}/a:1", f"{registry.host}/a:2")


async def test_two_images_with_a_layer_in_common_fetch_and_apply_it_once(host, registry):
    one = layer("x", 400_000)
    registry.add_image("a", "1", [one, layer("y")])
    registry.add_image("b", "1", [one, layer("z")])
    registry.gate = threading.Event()
    jobs, run = [], host.layers.workers.run
    host.layers.workers.run = lambda job, *rest, **more: jobs.append(job) or run(job, *rest, **more)
    pulls = [asyncio.ensure_future(host.pull(f"{registry.host}/{name}", "1")) for name in ("a", "b")]
    while registry.count("GET", "blobs") < 4:
        await asyncio.sleep(0.01)
    registry.gate.set()
    await asyncio.gather(*pulls)
    assert registry.served[digest_of(one[1])] == len(one[1])
    assert jobs.count("apply_layer") == 3
    assert len(host.left()[0]) == 3
    assert host.left()[2] == []


async def test_a_pull_goes_on_while_one_of_two_still_wants_it_and_ends_with_the_last(host, registry):
    one = layer("x", 400_000)
    registry.add_image("a", "1", [one])
    registry.gate = threading.Event()
    first, second = (asyncio.ensure_future(host.pull(f"{registry.host}/a", "1")) for _ in range(2))
    while not list((host.root / "content" / "ingest").glob("*")):
        await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    assert not second.done()
    second.cancel()
    await asyncio.wait([second])
    layers, blobs, asides, ingests, _ = host.left()
    assert (layers, blobs, asides, len(ingests)) == ([], [], [], 1)
    registry.gate.set()
    await host.pull(f"{registry.host}/a", "1")
    assert host.left()[3] == []


async def test_layers_from_elsewhere_are_taken_where_the_registry_has_them_not(host, registry):
    one = layer("x")
    digest = registry.add_image("a", "1", [one])
    manifest = json.loads(registry.manifests["a"][digest][1])
    registry.add_blob("cdn", one[1])
    registry.holds["a"].discard(digest_of(one[1]))
    manifest["layers"][0]["urls"] = [f"http://{registry.host}/v2/cdn/blobs/{digest_of(one[1])}"]
    registry.add_manifest("a", "2", manifest)
    await host.pull(f"{registry.host}/a", "2")


async def test_other_artifacts_are_no_images(host, registry):
    digest = registry.add_image("a", "1", [layer("x")])
    manifest = json.loads(registry.manifests["a"][digest][1])
    manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    registry.add_manifest("a", "chart", manifest)
    with pytest.raises(ArgosyError, match=r'Encountered remote "application/vnd.cncf.helm.config.v1\+json"\(unknown\) when fetching'):
        await host.pull(f"{registry.host}/a", "chart")


async def test_schema_1_is_refused_in_dockers_words(host, registry):
    registry.add_manifest("a", "1", {"schemaVersion": 1, "name": "a"}, "application/vnd.docker.distribution.manifest.v1+prettyjws")
    with pytest.raises(ArgosyError, match="schema 1 support is disabled by default"):
        await host.pull(f"{registry.host}/a", "1")
