import json

import pytest

from argosy.registry.errors import RegistryError
from argosy.registry.manifest import read
from support.registry import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, index_of, small_image


def test_an_image_names_its_blobs() -> None:
    image = small_image(layers=2)
    view = read(image.manifest, OCI_MANIFEST)
    assert [part.digest for part in view.blobs] == [json.loads(image.manifest)["config"]["digest"]] + [
        layer["digest"] for layer in json.loads(image.manifest)["layers"]
    ]
    assert view.media_type == OCI_MANIFEST and view.subject == "" and view.manifests == ()


def test_an_index_names_its_manifests() -> None:
    one, two = small_image("1"), small_image("2")
    view = read(index_of(one, two), OCI_INDEX)
    assert [part.digest for part in view.manifests] == [one.digest, two.digest] and view.blobs == ()


@pytest.mark.parametrize("claimed", ["", "application/json", OCI_MANIFEST, f"{OCI_MANIFEST}; charset=utf-8"])
def test_the_kind_is_what_was_claimed_or_what_it_says_itself(claimed: str) -> None:
    assert read(small_image().manifest, claimed).media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (small_image().manifest, DOCKER_MANIFEST),
        (small_image().manifest, "text/plain"),
        (b'{"schemaVersion": 2, "layers": [], "config": {"digest": "sha256:x"}}', OCI_MANIFEST),
        (b'{"schemaVersion": 2, "manifests": [], "layers": [], "config": {"digest": "x"}}', OCI_MANIFEST),
        (b'{"schemaVersion": 3}', OCI_MANIFEST),
        (b"null", ""),
        (b'{"schemaVersion": "2"}', OCI_MANIFEST),
    ],
)
def test_what_is_none_is_refused(data: bytes, claimed: str) -> None:
    with pytest.raises(RegistryError) as caught:
        read(data, claimed)
    assert caught.value.code == "MANIFEST_INVALID"


def test_the_artifact_type_is_its_own_or_its_configurations() -> None:
    assert read(small_image(artifactType="a/b").manifest, OCI_MANIFEST).artifact_type == "a/b"
    assert read(small_image().manifest, OCI_MANIFEST).artifact_type == "application/vnd.oci.image.config.v1+json"
