"""Indexes read from their blobs."""

import json

import pytest

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.images.index import read
from argosy.oci.descriptor import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST


def entry(digest: str, kind: str = OCI_MANIFEST, **more: object) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest, "size": 1, **more}


def manifest(config: str, *layers: str, kind: str = OCI_CONFIG) -> dict[str, object]:
    return {"schemaVersion": 2, "config": entry(config, kind), "layers": [entry(layer, "l") for layer in layers]}


def index(*entries: dict[str, object]) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}


def reader(**blobs: object):  # type: ignore[no-untyped-def]
    def blob(digest: str) -> bytes:
        if digest not in blobs:
            raise NotFoundError(digest)
        found = blobs[digest]
        return found if isinstance(found, bytes) else json.dumps(found).encode()

    return blob


def test_nested_indexes_lie_in_one_row_and_those_that_are_gone_are_passed_over() -> None:
    tree = read(
        "root", reader(root=index(entry("a"), entry("deep", OCI_INDEX), entry("gone", OCI_INDEX)), deep=index(entry("b"), entry("a")))
    )
    assert tree.documents == ("root", "deep")
    assert [one.digest for one in tree.manifests] == ["a", "b"]
    assert tree.names("b")
    assert not tree.names("c")
    assert tree.artifacts == ()


def test_an_index_that_leads_to_itself_ends() -> None:
    assert read("root", reader(root=index(entry("root", OCI_INDEX), entry("a")))).documents == ("root",)


def test_what_is_no_image_is_kept_with_its_parts() -> None:
    proof = entry("proof", annotations={"vnd.docker.reference.type": "attestation-manifest"})
    blobs = reader(
        root=index(entry("image"), proof, entry("chart")),
        image=manifest("c1", "l1"),
        proof=manifest("c2", "l2", "l3"),
        chart=manifest("c3", "l4", kind="application/vnd.cncf.helm.config.v1+json"),
    )
    assert read("root", blobs).artifacts == ("proof", "c2", "l2", "l3", "chart", "c3", "l4")


def test_what_is_no_index_is_refused() -> None:
    with pytest.raises(NotFoundError):
        read("root", reader())
    with pytest.raises(InvalidParameterError, match="invalid index root"):
        read("root", reader(root=b"{"))
