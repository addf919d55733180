"""Manifests and indexes (distribution specification, "Pulling manifests", "Pushing Manifests", "Deleting Manifests")."""

import json

import pytest

from support.registry import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Client, digest_of, index_of, small_image


def test_a_manifest_comes_back_as_it_was_pushed(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    for reference in ("v1", image.digest):
        for method, body in (("GET", image.manifest), ("HEAD", b"")):
            reply = client.manifest(name, reference, method).expect(200)
            assert reply.body == body
            assert reply.headers["Content-Type"] == OCI_MANIFEST
            assert reply.headers["Content-Length"] == str(len(image.manifest))
            assert reply.headers["Docker-Content-Digest"] == image.digest


def test_the_answer_to_a_push_tells_digest_and_place(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    for reference in ("v2", image.digest):
        reply = client.put_manifest(name, reference, image.manifest).expect(201)
        assert reply.headers["Docker-Content-Digest"] == image.digest
        client.get(reply.location).expect(200)


def test_who_has_the_manifest_is_told_so(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    tag = client.manifest(name, "v1").headers["ETag"]
    assert tag == f'"{image.digest}"'
    reply = client.request("GET", f"/v2/{name}/manifests/v1", Accept=OCI_MANIFEST, If_None_Match=tag).expect(304)
    assert reply.body == b""


def test_dockers_own_media_type_is_kept(client: Client, name: str) -> None:
    image = small_image(name)
    document = json.loads(image.manifest)
    document["mediaType"] = DOCKER_MANIFEST
    document["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    document["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    for blob in image.blobs:
        client.push_blob(name, blob)
    data = json.dumps(document).encode()
    client.put_manifest(name, "v1", data, DOCKER_MANIFEST).expect(201)
    reply = client.manifest(name, "v1").expect(200)
    assert (reply.headers["Content-Type"], reply.body) == (DOCKER_MANIFEST, data)


def test_an_index_needs_its_manifests(client: Client, name: str) -> None:
    one, two = client.push_image(name, seed="one"), small_image("two")
    assert client.put_manifest(name, "both", index_of(one, two), OCI_INDEX).expect(400, 404).code == "MANIFEST_BLOB_UNKNOWN"
    client.push_image(name, seed="two")
    client.put_manifest(name, "both", index_of(one, two), OCI_INDEX).expect(201)
    assert client.manifest(name, "both").headers["Content-Type"] == OCI_INDEX


def test_an_image_needs_its_blobs(client: Client, name: str) -> None:
    image = small_image(name)
    client.push_blob(name, image.blobs[0])
    reply = client.put_manifest(name, "v1", image.manifest).expect(400, 404)
    assert reply.code == "MANIFEST_BLOB_UNKNOWN"
    client.manifest(name, "v1").expect(404)


def test_a_tag_moves(client: Client, name: str) -> None:
    first, second = client.push_image(name, "v1", seed="1"), client.push_image(name, "v1", seed="2")
    assert client.manifest(name, "v1").headers["Docker-Content-Digest"] == second.digest
    client.manifest(name, first.digest).expect(200)


@pytest.mark.parametrize("reference", ["absent", digest_of(b"no manifest"), ".INVALID_MANIFEST_NAME"])
def test_an_unknown_manifest_is_not_found(client: Client, name: str, reference: str) -> None:
    client.push_image(name, "v1")
    client.manifest(name, reference).expect(404)
    client.manifest(name, reference, "HEAD").expect(404)


def test_an_unknown_manifest_says_so(client: Client, name: str) -> None:
    client.push_image(name, "v1")
    assert client.manifest(name, "absent").code == "MANIFEST_UNKNOWN"


def test_a_digest_that_is_not_the_contents_is_refused(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    assert client.put_manifest(name, digest_of(b"other"), image.manifest).expect(400).code == "DIGEST_INVALID"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(client: Client, name: str, data: bytes) -> None:
    assert client.put_manifest(name, "v1", data).expect(400).code == "MANIFEST_INVALID"


@pytest.mark.differs("takes an OCI manifest without configuration")
def test_an_image_without_configuration_is_refused(client: Client, name: str) -> None:
    assert client.put_manifest(name, "v1", b'{"schemaVersion": 2}').expect(400).code == "MANIFEST_INVALID"


def test_a_media_type_that_contradicts_the_manifest_is_refused(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    assert client.put_manifest(name, "v2", image.manifest, DOCKER_MANIFEST).expect(400).code == "MANIFEST_INVALID"


@pytest.mark.differs("still takes schema 1")
def test_schema_1_is_refused(client: Client, name: str) -> None:
    data = json.dumps({"schemaVersion": 1, "name": name, "tag": "v1", "fsLayers": [], "history": []}).encode()
    for media_type in ("application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"):
        reply = client.put_manifest(name, "v1", data, media_type).expect(400)
        assert reply.code == "MANIFEST_INVALID" and b"schema 1" in reply.body


def test_four_mebibytes_are_accepted(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    document = json.loads(image.manifest)
    document["annotations"] = {"padding": ""}
    document["annotations"]["padding"] = "x" * ((4 << 20) - len(json.dumps(document)))
    data = json.dumps(document).encode()
    assert len(data) == 4 << 20
    client.put_manifest(name, "big", data).expect(201)
    assert client.manifest(name, "big").body == data


@pytest.mark.differs("answers 400 MANIFEST_INVALID")
def test_more_is_too_large(client: Client, name: str) -> None:
    assert client.put_manifest(name, "big", b" " * ((4 << 20) + 1)).expect(413).code == "SIZE_INVALID"


@pytest.mark.differs("cannot take manifests by sha512")
def test_a_manifest_may_go_by_sha512(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    digest = digest_of(image.manifest, "sha512")
    assert client.put_manifest(name, digest, image.manifest).expect(201).headers["Docker-Content-Digest"] == digest
    assert client.manifest(name, digest).body == image.manifest


@pytest.mark.differs("is older than this")
def test_a_push_by_digest_may_bring_tags(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    reply = client.put_manifest(name, f"{image.digest}?tag=a&tag=b", image.manifest).expect(201)
    assert reply.headers["OCI-Tag"] == "a, b"
    assert client.get(f"/v2/{name}/tags/list").json()["tags"] == ["a", "b", "v1"]


@pytest.mark.differs("wants such addresses allowed in its configuration")
def test_a_layer_that_lives_elsewhere_need_not_be_here(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    document = json.loads(image.manifest)
    document["mediaType"] = DOCKER_MANIFEST
    document["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    foreign = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": digest_of(b"far away"), "size": 8}
    document["layers"] = [{**foreign, "urls": ["https://example.com/layer"]}]
    client.put_manifest(name, "v2", json.dumps(document).encode(), DOCKER_MANIFEST).expect(201)


def test_removing_by_digest_removes_its_tags(client: Client, name: str) -> None:
    image = client.push_image(name, "v1", "v2")
    other = client.push_image(name, "v3", seed="other")
    client.request("DELETE", f"/v2/{name}/manifests/{image.digest}").expect(202)
    for reference in ("v1", "v2", image.digest):
        client.manifest(name, reference).expect(404)
    assert client.manifest(name, "v3").headers["Docker-Content-Digest"] == other.digest
    client.request("DELETE", f"/v2/{name}/manifests/{image.digest}").expect(404)


@pytest.mark.differs("removes manifests only by digest")
def test_removing_a_tag_leaves_the_manifest(client: Client, name: str) -> None:
    image = client.push_image(name, "v1", "v2")
    client.request("DELETE", f"/v2/{name}/manifests/v1").expect(202)
    client.manifest(name, "v1").expect(404)
    client.manifest(name, "v2").expect(200)
    client.manifest(name, image.digest).expect(200)
    client.request("DELETE", f"/v2/{name}/manifests/v1").expect(404)


def test_a_bad_tag_is_refused(client: Client, name: str) -> None:
    image = client.push_image(name, "v1")
    client.put_manifest(name, ".bad", image.manifest).expect(400, 404)
    client.put_manifest(name, "x" * 129, image.manifest).expect(400, 404)
