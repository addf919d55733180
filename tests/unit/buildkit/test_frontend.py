import pytest

from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.build.ports import Limits
from argosy.buildkit.frontend import asked


def test_the_attributes_of_the_frontend():
    attrs = {
        "filename": "sub/D", "target": "t", "platform": "linux/amd64", "build-arg:A": "1", "label:l": "x", "no-cache": "",
        "image-resolve-mode": "pull", "force-network-mode": "host", "add-hosts": '"a=1.2.3.4",b=::1', "shm-size": "65536",
        "ulimit": "nofile=10:20,nproc=5", "cgroup-parent": "/p",
    }  # fmt: skip
    found = asked(attrs, names=["x:1", "x:1", "y"], imports=[("registry", {"ref": "r/c"})])
    request = found.request
    assert [str(tag) for tag in request.tags] == ["docker.io/library/x:1", "docker.io/library/y:latest"]
    assert (request.dockerfile, found.filename, request.target, request.platform) == ("sub/D", "sub/D", "t", "linux/amd64")
    assert (request.build_args, request.labels, request.no_cache, request.pull) == ({"A": "1"}, {"l": "x"}, True, True)
    assert (request.network, request.extra_hosts) == ("host", ("a:1.2.3.4", "b:::1"))
    assert request.limits == Limits(shm_size=65536, ulimits=(("nofile", 10, 20), ("nproc", 5, 5)), cgroup_parent="/p")
    assert request.cache_from == ("type=registry,ref=r/c",)
    assert request.detailed


def test_nothing_said():
    found = asked({}, names=[])
    assert (found.context, found.dockerfile, found.filename) == ("context", "dockerfile", "Dockerfile")
    assert not found.request.no_cache and found.request.tags == ()


def test_stages_without_cache():
    assert asked({"no-cache": "One,two"}, names=[]).request.no_cache_stages == {"one", "two"}


def test_named_contexts():
    found = asked({"context:a": "local:name", "context:b": "docker-image://busybox", "context:c": "https://x/y.tar"}, names=[])
    assert found.directories == {"a": "name"}
    assert found.request.contexts == {"a": "sent://local/1", "b": "docker-image://busybox", "c": "https://x/y.tar"}


def test_attestations_are_said_not_to_be_made():
    attrs = {"attest:provenance": "mode=min,inline-only=true", "attest:sbom": "disabled=true"}
    assert asked(attrs, names=[]).warnings == ("the provenance attestation is not made",)


@pytest.mark.parametrize(
    ("attrs", "words"),
    [
        ({"platform": "linux/amd64,linux/arm64"}, "an image for several platforms"),
        ({"requestid": "frontend.outline"}, "the frontend's request frontend.outline is not served"),
        ({"context:a": "oci-layout://x"}, "build context a: oci-layout is not served"),
    ],
)
def test_what_is_not_served_is_named(attrs, words):
    with pytest.raises(NotImplementedInArgosyError, match=words):
        asked(attrs, names=[])


def test_a_cache_that_is_not_served():
    with pytest.raises(NotImplementedInArgosyError, match="cache source of type gha"):
        asked({}, names=[], imports=[("gha", {})])


def test_bad_values():
    with pytest.raises(InvalidParameterError, match="invalid ulimit argument: nofile=x"):
        asked({"ulimit": "nofile=x"}, names=[])
    with pytest.raises(InvalidParameterError, match="cannot contain a digest"):
        asked({}, names=["x@sha256:" + "0" * 64])
