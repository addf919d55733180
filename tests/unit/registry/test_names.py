import pytest

from argosy.registry.errors import RegistryError
from argosy.registry.names import Target, is_name, is_tag, target_of

HEX = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v2/", Target("base")),
        ("/v2", Target("base")),
        ("/v2/_catalog", Target("catalog")),
        ("/v2/a/tags/list", Target("tags", "a")),
        ("/v2/a/b/manifests/v1", Target("manifest", "a/b", "v1")),
        (f"/v2/a/blobs/{HEX}", Target("blob", "a", HEX)),
        ("/v2/a/blobs/uploads/", Target("uploads", "a")),
        ("/v2/a/blobs/uploads", Target("uploads", "a")),
        ("/v2/a/blobs/uploads/1f", Target("upload", "a", "1f")),
        (f"/v2/a/referrers/{HEX}", Target("referrers", "a", HEX)),
        (f"/v2/blobs/blobs/{HEX}", Target("blob", "blobs", HEX)),
        ("/v2/a/blobs/uploads/blobs/uploads/", Target("uploads", "a/blobs/uploads")),
        ("/v2/a/tags/list/manifests/list", Target("manifest", "a/tags/list", "list")),
    ],
)
def test_a_path_is_read_from_its_end(path: str, target: Target) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2/a", "/v2/a/nothing", "/v2/manifests/x", "/v3/a/tags/list"])
def test_other_paths_mean_nothing(path: str) -> None:
    assert target_of(path) is None


def test_a_name_with_dots_cannot_leave_the_root() -> None:
    for path in (
        "/v2/../../etc/tags/list",
        "/v2/a/../b/manifests/x",
        "/v2/./blobs/uploads/",
        "/v2/_blobs/tags/list",
        "/v2/a/_tags/tags/list",
    ):
        with pytest.raises(RegistryError) as caught:
            target_of(path)
        assert caught.value.code == "NAME_INVALID"


@pytest.mark.parametrize("name", ["a", "a/b", "a-b", "a--b", "a__b", "a.b", "0", "a" * 255])
def test_good_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "a/", "/a", "a..b", "a___b", "-a", "a-", "a_", "a\n", "ä", "a" * 256])
def test_bad_names(name: str) -> None:
    assert not is_name(name)


def test_tags() -> None:
    assert all(map(is_tag, ["v1", "_", "A.b-c", "x" * 128]))
    assert not any(map(is_tag, ["", ".", "..", "-x", "x" * 129, "a/b", "a:b", "v1\n"]))
