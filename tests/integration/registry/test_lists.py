"""``/v2/``, lists of tags and repositories, referrers (distribution specification, "Content Discovery")."""

import json
import re
from itertools import pairwise

import pytest

from support.registry import OCI_INDEX, OCI_MANIFEST, Client, descriptor, digest_of, index_of, small_image

EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}


def next_of(link: str) -> str:
    found = re.fullmatch(r'<(.*)>; rel="next"', link)
    assert found, link
    return found[1]


def test_the_registry_names_its_api(client: Client) -> None:
    for path in ("/v2/",):
        reply = client.get(path).expect(200)
        assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.differs("2.8 lists tags as they lie in the folder")
def test_tags_are_in_order(client: Client, name: str) -> None:
    client.push_image(name, "b", "a", "v1.10", "B", "v1.9", "_x")
    reply = client.get(f"/v2/{name}/tags/list").expect(200)
    assert reply.json() == {"name": name, "tags": ["B", "_x", "a", "b", "v1.10", "v1.9"]}


@pytest.mark.differs("2.8 lists all tags whatever is asked for")
def test_tags_come_in_pages(client: Client, name: str) -> None:
    tags = [f"t{number}" for number in range(7)]
    client.push_image(name, *tags)
    path, seen, pages = f"/v2/{name}/tags/list?n=3", [], 0
    while path:
        reply = client.get(path).expect(200)
        seen += reply.json()["tags"]
        pages += 1
        path = next_of(reply.headers["Link"]) if reply.headers["Link"] else ""
    assert seen == tags and pages == 3


@pytest.mark.differs("2.8 lists all tags whatever is asked for")
def test_tags_after_one_that_is_not_there(client: Client, name: str) -> None:
    client.push_image(name, "a", "c", "e")
    assert client.get(f"/v2/{name}/tags/list?last=b").json()["tags"] == ["c", "e"]
    assert client.get(f"/v2/{name}/tags/list?last=c&n=1").json()["tags"] == ["e"]
    zero = client.get(f"/v2/{name}/tags/list?n=0").expect(200)
    assert zero.json()["tags"] == [] and not zero.headers["Link"]


@pytest.mark.differs("2.8 lists all tags whatever is asked for")
def test_a_number_that_is_none_is_refused(client: Client, name: str) -> None:
    client.push_image(name, "a")
    assert client.get(f"/v2/{name}/tags/list?n=many").expect(400).code == "PAGINATION_NUMBER_INVALID"


def test_an_unknown_repository_has_no_tags(client: Client, name: str) -> None:
    assert client.get(f"/v2/{name}/tags/list").expect(404).code == "NAME_UNKNOWN"


def test_the_catalogue_comes_in_pages(client: Client, name: str) -> None:
    names = [f"{name}-{letter}" for letter in "abc"] + [f"{name}/sub"]
    for one in names:
        client.push_image(one, "v1")
    path, seen = "/v2/_catalog?n=2", []
    while path:
        reply = client.get(path).expect(200)
        assert len(reply.json()["repositories"]) <= 2
        seen += reply.json()["repositories"]
        path = next_of(reply.headers["Link"]) if reply.headers["Link"] else ""
    assert set(names) <= set(seen) and len(seen) == len(set(seen))


@pytest.mark.differs("2.8 walks folder by folder, so that a/b comes before a-b")
def test_the_catalogue_is_in_order(client: Client, name: str) -> None:
    for one in (f"{name}/sub", f"{name}-a", name):
        client.push_image(one, "v1")
    seen = client.get("/v2/_catalog?n=10000").json()["repositories"]
    assert all(one < other for one, other in pairwise(seen))


def artifact(subject: dict, kind: str = "", *, config: dict = EMPTY, **more: object) -> bytes:
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [EMPTY], "subject": subject, **more}
    return json.dumps({**document, **({"artifactType": kind} if kind else {})}).encode()


@pytest.mark.differs("2.8 has no referrers")
class TestReferrers:
    def test_nothing_refers_to_what_is_not_there(self, client: Client, name: str) -> None:
        reply = client.get(f"/v2/{name}/referrers/{digest_of(b'nothing')}").expect(200)
        assert reply.headers["Content-Type"] == OCI_INDEX
        assert reply.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}

    def test_a_bad_digest_is_refused(self, client: Client, name: str) -> None:
        client.get(f"/v2/{name}/referrers/sha256:bad").expect(400)

    def test_who_has_a_subject_is_listed_with_type_and_annotations(self, client: Client, name: str) -> None:
        image = client.push_image(name, "v1")
        client.push_blob(name, b"{}")
        config = descriptor("application/vnd.example.config", b"config of a signature")
        client.push_blob(name, b"config of a signature")
        sbom = artifact(image.descriptor, "application/vnd.example.sbom", annotations={"a": "b"})
        signature = artifact(image.descriptor, config=config)
        index = index_of(image, subject=image.descriptor, artifactType="application/vnd.example.index")
        for data, kind in ((sbom, OCI_MANIFEST), (signature, OCI_MANIFEST), (index, OCI_INDEX)):
            pushed = client.put_manifest(name, digest_of(data), data, kind).expect(201)
            assert pushed.headers["OCI-Subject"] == image.digest
        reply = client.get(f"/v2/{name}/referrers/{image.digest}").expect(200)
        assert not reply.headers["OCI-Filters-Applied"]
        wanted = [
            {**descriptor(OCI_MANIFEST, sbom), "artifactType": "application/vnd.example.sbom", "annotations": {"a": "b"}},
            {**descriptor(OCI_MANIFEST, signature), "artifactType": "application/vnd.example.config"},
            {**descriptor(OCI_INDEX, index), "artifactType": "application/vnd.example.index"},
        ]
        assert sorted(reply.json()["manifests"], key=lambda entry: entry["digest"]) == sorted(wanted, key=lambda entry: entry["digest"])
        filtered = client.get(f"/v2/{name}/referrers/{image.digest}?artifactType=application/vnd.example.sbom").expect(200)
        assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
        assert filtered.json()["manifests"] == wanted[:1]

    def test_a_subject_may_come_later(self, client: Client, name: str) -> None:
        image = small_image(name)
        client.push_blob(name, b"{}")
        data = artifact(image.descriptor, "application/vnd.example")
        client.put_manifest(name, digest_of(data), data).expect(201)
        assert len(client.get(f"/v2/{name}/referrers/{image.digest}").json()["manifests"]) == 1

    def test_a_removed_referrer_is_not_listed(self, client: Client, name: str) -> None:
        image = client.push_image(name, "v1")
        client.push_blob(name, b"{}")
        data = artifact(image.descriptor, "application/vnd.example")
        client.put_manifest(name, "signed", data).expect(201)
        client.request("DELETE", f"/v2/{name}/manifests/{digest_of(data)}").expect(202)
        assert client.get(f"/v2/{name}/referrers/{image.digest}").json()["manifests"] == []

    def test_the_fallback_tag_of_older_clients_counts(self, client: Client, name: str) -> None:
        """Pushed where there was no referrers API: the manifest without our looking at its subject, the list under a tag."""
        image = client.push_image(name, "v1")
        other = client.push_image(name, seed="signature of old")
        entry = {**other.descriptor, "artifactType": "application/vnd.example.old"}
        gone = {**small_image("never pushed").descriptor, "artifactType": "application/vnd.example.old"}
        tag = image.digest.replace(":", "-")
        index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
        client.put_manifest(name, tag, index, OCI_INDEX).expect(201)
        assert client.get(f"/v2/{name}/referrers/{image.digest}").json()["manifests"] == [entry]
        assert gone["digest"] != entry["digest"]


@pytest.mark.differs("answers 405 without a body in the specification's form")
def test_a_method_that_is_none_is_refused(client: Client, name: str) -> None:
    reply = client.request("PATCH", f"/v2/{name}/tags/list").expect(405)
    assert reply.code == "UNSUPPORTED" and reply.headers["Allow"] == "GET"


def test_nothing_else_is_served(client: Client) -> None:
    client.get("/v2/nothing").expect(404)
    client.get("/v1/_ping").expect(404)
