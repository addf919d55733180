"""Images that are mounted in containers: what must stay, and until when."""

import asyncio
from typing import Any

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError, SystemFailureError
from argosy.engine.container_view import CreateRequest
from argosy.engine.image_mounts import ImageMounts, trees
from argosy.engine.model import ContainerSpec, HostConfig, MountPoint
from argosy.engine.registry import Registry
from argosy.images.model import ImageView
from argosy.oci.config import Config
from argosy.runtime.model import Tree
from argosy.storage.model import Directory
from fakes.layers import FakeImages, FakeSnapshots, make_world

ASKED = MountPoint(type="image", destination="/x", name="data:1", rw=False, subpath="part")


class Empty:
    async def resolve(self, reference: str, platform: str = "") -> ImageView:
        return ImageView("sha256:1", "sha256:2", None, Config(), "linux", "amd64")


def test_the_image_is_found_and_its_layers_are_held_until_the_container_is_there() -> None:
    mounts = ImageMounts(Registry())
    found = asyncio.run(mounts.resolve("c", ASKED, FakeImages()))  # type: ignore[arg-type]
    assert (found.name, found.source, found.chain, found.mapped) == ("data:1", "sha256:1", "sha256:3", True)
    assert mounts.chains() == ["sha256:3"]
    mounts.done("c")
    mounts.done("c")
    assert mounts.chains() == []


def test_what_comes_from_another_container_is_not_looked_up_again() -> None:
    mounts = ImageMounts(Registry())
    point = MountPoint(type="image", destination="/x", name="nope", source="sha256:8", chain="sha256:9")
    assert asyncio.run(mounts.resolve("c", point, FakeImages())) == point  # type: ignore[arg-type]
    assert mounts.chains() == ["sha256:9"]


def test_an_image_that_is_missing_or_empty_is_refused_and_nothing_held() -> None:
    mounts = ImageMounts(Registry())
    for images, name, kind, words in (
        (FakeImages(), "nope", NotFoundError, "No such image: nope:latest"),
        (Empty(), "void", InvalidParameterError, "image void has no layers to mount"),
    ):
        with pytest.raises(kind, match=words):
            asyncio.run(mounts.resolve("c", MountPoint(type="image", destination="/x", name=name), images))  # type: ignore[arg-type]
    assert mounts.chains() == []


async def test_a_container_holds_its_images_from_its_making_on(tmp_path: Any) -> None:
    world = make_world(tmp_path, lambda config, host: (ASKED,))
    request = CreateRequest(name="web", config=Config(image="bb"), host=HostConfig(), endpoints={})
    made = await world.creator.create(request)
    assert world.image_mounts.chains() == ["sha256:3"]
    spec = world.registry.get(made.id).spec
    assert world.image_mounts.uses(spec, "sha256:1") and not world.image_mounts.uses(spec, "sha256:3")
    world.fail["snapshot"] = SystemFailureError("no room")
    with pytest.raises(SystemFailureError):
        await world.creator.create(CreateRequest(name="other", config=Config(image="bb"), host=HostConfig(), endpoints={}))
    assert world.image_mounts.chains() == ["sha256:3"]
    await world.supervisor.close()


async def test_a_start_mounts_images_and_parts_of_volumes_by_their_tree() -> None:
    spec = ContainerSpec(
        id="c", name="c", created=0, image_id="", mounts=(
            MountPoint(type="image", destination="/x", source="sha256:1", chain="sha256:3", subpath="part"),
            MountPoint(type="volume", destination="/v", source="/volumes/v/_data", subpath="sub"),
            MountPoint(type="volume", destination="/w", source="/volumes/w/_data"),
            MountPoint(type="bind", destination="/b", source="/b"),
        ),
    )  # fmt: skip
    assert await trees(spec.mounts, FakeSnapshots([], {})) == {  # type: ignore[arg-type]
        "/x": Tree(Directory("/layers/sha256:3"), "part", "sha256:1"),
        "/v": Tree(Directory("/volumes/v/_data"), "sub", "/volumes/v/_data"),
    }
