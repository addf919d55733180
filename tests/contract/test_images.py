"""Images as Docker 28.5.2 told them, field by field and value by value, from API 1.24 to 1.51.

``docker-28-images.json`` holds the configurations of some images and Docker's answers about them, as observed.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy.api.convert import images as convert
from argosy.images import details, listing
from argosy.images.record import Image, ImageRecord, make
from argosy.oci import digest as digests
from argosy.oci import image as oci_image
from argosy.oci.descriptor import Descriptor, Manifest
from argosy.oci.reference import Reference, parse

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("docker-28-images.json").read_text())
ANSWERS = {version: group for group in RECORDED["answers"] for version in group["versions"]}
TAGS = {"plain": ("shape/plain:1", "shape/plain:2"), "hollow": ()}
SIZES = (5, 3)
GRAPH = ("MergedDir", "UpperDir", "WorkDir")


class Store:
    """What `details` and `listing` ask of a catalogue, of layers and of snapshots: the images of the recording."""

    driver = "overlay2"

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.names: dict[str, list[Reference]] = {}
        self.layers = self
        self.sizes: dict[str, int] = {}
        for name, text in RECORDED["configs"].items():
            config = oci_image.decode(text.encode())
            manifest = Manifest(schema_version=2, config=Descriptor("c", "d", 1), layers=())
            image_id = digests.of(text.encode())
            image = make(image_id, ImageRecord(manifest="m"), config, manifest, sum(SIZES[: len(config.diff_ids)]))
            self.sizes |= dict(zip(image.chains, SIZES))
            self.images[image_id] = image
            self.names[image_id] = [parse(tag) for tag in TAGS.get(name, (f"shape/{name}:1",))]

    def get(self, key: str) -> Any:
        return self.images.get(key) or (SimpleNamespace(size=self.sizes[key]) if key in self.sizes else None)

    def all(self) -> dict[str, Image]:
        return self.images

    def family(self, image_id: str) -> list[str]:
        return [image_id]

    def shown_names(self, image_id: str) -> list[Reference]:
        return self.names[image_id]

    references = shown_names

    def image_graph_data(self, chain: str | None) -> dict[str, str]:
        image = next((image for image in self.images.values() if image.chain == chain), None)
        more = ("LowerDir",) if image is not None and len(image.chains) > 1 else ()
        return {} if chain is None else dict.fromkeys((*GRAPH, *more), "/x")


STORE: Any = Store()


def image_of(name: str) -> Image:
    found: Image = STORE.images[digests.of(RECORDED["configs"][name].encode())]
    return found


def plain(answer: Any) -> Any:
    """Return the answer as a client reads it, without the paths of its layers."""
    found = json.loads(json.dumps(answer))
    if data := found.get("GraphDriver", {}).get("Data"):
        found["GraphDriver"]["Data"] = sorted(data)
    return found


@pytest.mark.parametrize("name", RECORDED["configs"])
@pytest.mark.parametrize("version", ANSWERS)
def test_inspect_is_dockers(name: str, version: int) -> None:
    detail = details.detail(image_of(name), catalog=STORE, snapshots=STORE, descriptor={})
    assert plain(convert.inspect(detail, version)) == ANSWERS[version]["inspect"][name]


@pytest.mark.parametrize("name", RECORDED["configs"])
@pytest.mark.parametrize("version", ANSWERS)
def test_the_list_is_dockers(name: str, version: int) -> None:
    image = image_of(name)
    (summary,) = listing.summaries(
        [(image, STORE.names[image.id])], layers=STORE, users=lambda image_id: (), shared_size=False, catalog=STORE
    )
    assert plain(convert.summary(summary, version)) == ANSWERS[version]["list"][name]


@pytest.mark.parametrize("name", RECORDED["configs"])
def test_the_history_is_dockers(name: str) -> None:
    found = [convert.history(entry) for entry in details.history(image_of(name), catalog=STORE, snapshots=STORE)]
    for group in RECORDED["answers"]:
        assert found == group["history"][name]


def test_what_came_after_1_51_is_left_out_before() -> None:
    """Descriptor since 1.48, Identity since 1.53, and the summary's Descriptor with the manifests'."""
    descriptor = {"mediaType": "m", "digest": "d", "size": 1}
    detail = details.detail(image_of("plain"), catalog=STORE, snapshots=STORE, descriptor=descriptor, manifests=[{"ID": "x"}])
    told = {version: convert.inspect(detail, version) for version in (47, 48, 52, 53)}
    assert [("Descriptor" in one, "Manifests" in one) for one in told.values()] == [(False, False)] + [(True, True)] * 3
    assert ["DockerVersion" in one for one in told.values()] == [True, True, False, False]
    assert not any("Identity" in one for one in told.values())
