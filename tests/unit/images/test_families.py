"""Which image of an index stands for all of it."""

from argosy.images.families import heads, stays
from argosy.images.index import Tree
from argosy.images.platforms import Platform
from argosy.images.record import Image, ImageRecord, make
from argosy.oci.descriptor import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from argosy.oci.image import ImageConfig

HOST = Platform("linux", "amd64")


def image(name: str, architecture: str = "amd64", index: str = "", leads_to: str = "") -> Image:
    """An image called by its id, with a manifest ``m-ID``, whose index names the manifests of the images in ``leads_to``."""
    entries = tuple(Descriptor(OCI_MANIFEST, f"m-{one}", 1) for one in leads_to.split())
    tree = Tree(index, OCI_INDEX, (index,), entries, ()) if index else None
    manifest = Manifest(schema_version=2, config=Descriptor("c", name, 1), layers=())
    return make(name, ImageRecord(manifest=f"m-{name}", index=index), ImageConfig(architecture=architecture), manifest, 0, tree)


def hidden(*images: Image, named: str = "") -> dict[str, str]:
    return heads(images, named=named.split().__contains__, host=HOST)


def test_what_has_no_name_hides_behind_what_has_one() -> None:
    own, other = image("own", index="i", leads_to="own other"), image("other", "arm64", index="i", leads_to="own other")
    assert hidden(own, other, named="own") == {"other": "own"}
    assert hidden(own, other, named="other") == {"own": "other"}
    assert hidden(own, other, named="own other") == {}


def test_without_names_the_hosts_own_stands_for_all() -> None:
    assert hidden(image("b", "arm64", "i", "a b"), image("a", "s390x", "i", "a b")) == {"b": "a"}
    assert hidden(image("a", "arm64", "i", "a b"), image("b", "amd64", "i", "a b")) == {"a": "b"}


def test_images_without_an_index_hide_nothing() -> None:
    assert hidden(image("a"), image("b", "arm64"), named="a") == {}


def test_nobody_hides_behind_each_other_and_all_behind_the_last() -> None:
    first, second = image("a", "s390x", "i", "a b"), image("b", "s390x", "j", "a b")
    assert hidden(first, second) == {"b": "a"}
    top = image("top", index="k", leads_to="a")
    assert hidden(first, second, top) == {"a": "top", "b": "top"}


def test_a_name_stays_with_the_better_fit_of_one_index_only() -> None:
    own, other = image("own", index="i", leads_to="own other"), image("other", "arm64", index="i", leads_to="own other")
    assert stays(own, other, HOST)
    assert not stays(other, own, HOST)
    assert not stays(own, image("new", index="j", leads_to="new"), HOST)
    assert not stays(image("plain"), image("new"), HOST)
