"""Pushes to a registry that does, and breaks, as told."""

import json

import pytest

from argosy.base.errors import NotFoundError, SystemFailureError, UnauthorizedError
from fakes.registry import digest_of, layer, tar_of
from suites.image_host import QUICK, Host, statuses

pytestmark = pytest.mark.root


@pytest.fixture
async def host(tmp_path):
    (tmp_path / "host").mkdir()
    host = await Host(tmp_path / "host", registries=QUICK).start()
    yield host
    await host.stop()


async def built(host, name, files=None):
    """Make an image here: its layer never was in a registry."""
    return await host.import_(tar_of(files or {"x": b"x" * 300_000, "y": bytes(range(256)) * 100}), name, "1")


async def test_what_was_built_here_is_compressed_and_pushed_the_same_way_twice(host, registry):
    name = f"{registry.host}/a/b"
    await built(host, name)
    first = await host.push(name, "1")
    (diff,) = {message["id"] for message in first if "id" in message}
    (aux,) = [message["aux"] for message in first if "aux" in message]
    kind, data = registry.manifests["a/b"]["1"]
    assert aux == {"Tag": "1", "Digest": digest_of(data), "Size": len(data)}
    assert statuses(first) == [
        f"The push refers to repository [{name}]",
        "Preparing",
        "Pushed",
        f"1: digest: {digest_of(data)} size: {len(data)}",
    ]
    assert json.loads(data)["layers"][0]["mediaType"].endswith("tar+gzip")
    assert len(diff) == 12
    host = await host.restart()
    second = await host.push(name, "1")
    assert statuses(second)[2] == "Layer already exists"
    assert registry.manifests["a/b"]["1"] == (kind, data)
    assert (await host.images.inspect(f"{name}:1")).repo_digests == (f"{name}@{digest_of(data)}",)
    assert host.actions()[-1] == "push"


async def test_another_registry_gets_the_same_bytes(host, registry):
    name = f"{registry.host}/a"
    await built(host, name)
    await host.push(name, "1")
    before = registry.manifests.pop("a"), registry.holds.pop("a")
    registry.blobs.clear()
    await host.push(name, "1")
    assert (registry.manifests["a"], registry.holds["a"]) == before


async def test_a_blob_is_mounted_from_a_repository_of_the_same_registry(host, registry):
    await built(host, f"{registry.host}/a/b")
    await host.push(f"{registry.host}/a/b", "1")
    await host.images.tag(f"{registry.host}/a/b:1", f"{registry.host}/c", "latest")
    messages = await host.push(f"{registry.host}/c", "latest")
    assert "Mounted from a/b" in statuses(messages)
    assert registry.manifests["c"]["latest"] == registry.manifests["a/b"]["1"]
    registry.mounts = False
    await host.images.tag(f"{registry.host}/a/b:1", f"{registry.host}/d", "latest")
    assert "Pushed" in statuses(await host.push(f"{registry.host}/d", "latest"))


async def test_all_tags_of_a_repository_go_out(host, registry):
    await built(host, f"{registry.host}/a")
    for tag in ("2", "3"):
        await host.images.tag(f"{registry.host}/a:1", f"{registry.host}/a", tag)
    messages = await host.push(f"{registry.host}/a")
    assert [message["aux"]["Tag"] for message in messages if "aux" in message] == ["1", "2", "3"]
    assert {"1", "2", "3"} < set(registry.manifests["a"])


async def test_an_image_of_pulled_and_own_layers_keeps_the_pulled_ones_as_they_came(host, registry):
    base = layer("base")
    registry.add_image("base", "1", [base])
    await host.pull(f"{registry.host}/base", "1")
    image = await host.images.resolve(f"{registry.host}/base:1")
    await host.snapshots.prepare("s", image.chain_id)
    await commit(host, image, f"{registry.host}/own:1")
    messages = await host.push(f"{registry.host}/own", "1")
    assert "Mounted from base" in statuses(messages)
    data = json.loads(registry.manifests["own"]["1"][1])
    assert data["layers"][0]["digest"] == digest_of(base[1])


async def commit(host, image, name):
    from argosy.images.model import CommitRequest

    upper = host.root / "overlay2" / "snapshots" / "s" / "diff"
    (upper / "new").write_bytes(b"new" * 1000)
    request = CommitRequest(snapshot="s", parent_image=image.id, container_id="c", config=image.config, reference=name)
    await host.images.commit(request)


async def test_a_broken_push_is_tried_again(host, registry):
    await built(host, f"{registry.host}/a")
    registry.statuses["/blobs/uploads/"] = [503]
    registry.statuses["/uploads/u0"] = [500]
    messages = await host.push(f"{registry.host}/a", "1")
    assert "Pushed" in statuses(messages)


async def test_a_push_without_image_or_right_says_so_in_dockers_words(host, registry):
    with pytest.raises(NotFoundError, match=f"^An image does not exist locally with the tag: {registry.host}/nope$"):
        await host.push(f"{registry.host}/nope", "1")
    await built(host, f"{registry.host}/a")
    registry.users = {"u": "p"}
    with pytest.raises(SystemFailureError, match=r"^no basic auth credentials$"):
        await host.push(f"{registry.host}/a", "1")
    import base64

    wrong = base64.b64encode(b'{"username":"u","password":"x"}').decode()
    with pytest.raises(UnauthorizedError, match=r"^unauthorized: authentication required$"):
        await host.push(f"{registry.host}/a", "1", auth=wrong)
    assert registry.uploads == {}
