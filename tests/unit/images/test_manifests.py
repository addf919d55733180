"""What is told of an index, beside what Docker 28.5 with its containerd store told of the same one."""

import json
from typing import Any

from argosy.base.errors import NotFoundError
from argosy.images import manifests
from argosy.images.index import Tree
from argosy.images.record import Image, ImageRecord, make
from argosy.oci.descriptor import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, Platform
from argosy.oci.image import ImageConfig


class Blobs:
    """A content store and a catalogue of what lies in a dictionary."""

    def __init__(self, blobs: dict[str, bytes], *images: Image) -> None:
        self.blobs = blobs
        self.images = images

    def has(self, digest: str) -> bool:
        return digest in self.blobs

    def size(self, digest: str) -> int:
        return len(self.blobs[digest])

    def read(self, digest: str) -> bytes:
        if digest not in self.blobs:
            raise NotFoundError(digest)
        return self.blobs[digest]

    def by_manifest(self, digest: str) -> Image | None:
        return next((image for image in self.images if image.record.manifest == digest), None)


def document(config: str, layer: str, kind: str = OCI_CONFIG) -> bytes:
    described = {"mediaType": kind, "digest": config, "size": 1}
    return json.dumps({"schemaVersion": 2, "config": described, "layers": [{"mediaType": "l", "digest": layer, "size": 1}]}).encode()


def image(name: str, tree: Tree | None = None) -> Image:
    layer = Descriptor("l", f"{name}-layer", 1)
    manifest = Manifest(schema_version=2, media_type=OCI_MANIFEST, config=Descriptor(OCI_CONFIG, name, 1), layers=(layer,))
    config = ImageConfig(architecture="arm", variant="v7", os_version="5")
    return make(name, ImageRecord(manifest=f"{name}-manifest", index="root"), config, manifest, 1000, tree)


def entry(digest: str, architecture: str = "amd64", **more: Any) -> Descriptor:
    return Descriptor(OCI_MANIFEST, digest, 9, platform=Platform(architecture, "linux"), **more)


PROOF = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "own-manifest"}


def told(*entries: Descriptor, **blobs: bytes) -> list[Any]:
    own = image("own", Tree("root", OCI_INDEX, ("root",), entries, ()))
    held = {"own": b"c" * 10, "own-manifest": b"m" * 20, "own-layer": b"l" * 30} | blobs
    store: Any = Blobs(held, own)
    return list(manifests.summaries(own, catalog=store, content=store, containers=lambda image_id: [f"user-of-{image_id}"]))


def test_an_image_is_told_with_its_blobs_its_files_and_who_uses_it() -> None:
    (summary,) = told(entry("own-manifest"))
    assert summary == {
        "ID": "own-manifest",
        "Descriptor": {
            "mediaType": OCI_MANIFEST,
            "digest": "own-manifest",
            "size": 9,
            "platform": {"architecture": "amd64", "os": "linux"},
        },
        "Available": True,
        "Size": {"Content": 60, "Total": 1060},
        "Kind": "image",
        "ImageData": {
            "Platform": {"architecture": "amd64", "os": "linux"},
            "Size": {"Unpacked": 1000},
            "Containers": ["user-of-own"],
        },
    }


def test_what_is_not_here_is_told_as_an_image_of_nothing() -> None:
    (summary,) = told(entry("away", "s390x"))
    assert (summary["Available"], summary["Size"], summary["Kind"]) == (False, {"Content": 0, "Total": 0}, "image")
    assert summary["ImageData"] == {"Platform": {"architecture": "s390x", "os": "linux"}, "Size": {"Unpacked": 0}, "Containers": None}


def test_an_attestation_is_told_with_what_it_is_about_here_or_not() -> None:
    proof = entry("proof", "unknown", annotations=PROOF)
    manifest = document("proof-config", "statement")
    here, away = told(proof, **{"proof": manifest, "proof-config": b"12", "statement": b"345"}), told(proof)
    assert here[0]["Size"] == {"Content": len(manifest) + 5, "Total": len(manifest) + 5}
    assert [one[0]["Available"] for one in (here, away)] == [True, False]
    assert here[0]["Kind"] == away[0]["Kind"] == "attestation"
    assert here[0]["AttestationData"] == away[0]["AttestationData"] == {"For": "own-manifest"}
    assert "ImageData" not in here[0]


def test_other_artifacts_and_what_is_here_in_part() -> None:
    chart, half = document("chart-config", "chart", "application/vnd.cncf.helm.config.v1+json"), document("half-config", "half-layer")
    summaries = told(entry("c"), entry("h"), **{"c": chart, "chart-config": b"", "chart": b"", "h": half, "half-config": b"1"})
    assert [(one["Kind"], one["Available"]) for one in summaries] == [("unknown", True), ("image", False)]
    assert summaries[1]["Size"]["Content"] == len(half) + 1


def test_an_image_without_an_index_is_its_own_one_manifest() -> None:
    own = image("own")
    store: Any = Blobs({"own-manifest": b"m" * 20}, own)
    (summary,) = manifests.summaries(own, catalog=store, content=store, containers=lambda image_id: [])
    assert summary["Descriptor"] == {"mediaType": OCI_MANIFEST, "digest": "own-manifest", "size": 20}
    assert summary["ImageData"]["Platform"] == {"architecture": "arm", "os": "linux", "os.version": "5", "variant": "v7"}
    assert manifests.descriptor(own, store).digest == "own-manifest"
