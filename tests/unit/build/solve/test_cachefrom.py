"""Images that tell of their steps, by keys or by words."""

import pytest

from argosy.build import inline
from argosy.build.cache.record import CacheRecord
from argosy.build.dockerfile.args import Platform
from argosy.build.instructions.operation import Operation
from argosy.build.solve.cachefrom import CacheFrom
from argosy.build.solve.state import State
from argosy.images.record import ImageRecord, make
from argosy.oci.config import Config
from argosy.oci.descriptor import Descriptor, Manifest
from argosy.oci.image import History, ImageConfig, RootFs

MANIFEST = Manifest(schema_version=2, config=Descriptor("", "", 0), layers=())
BASE = (History("2020-01-01T00:00:00Z", created_by="base"),)
BUILDKIT = (
    *BASE,
    History("2020-01-02T00:00:00Z", created_by="ENV A=b", empty_layer=True),
    History("2020-01-03T00:00:00Z", created_by="COPY f /f # buildkit"),
    History("2020-01-04T00:00:00Z", created_by="RUN /bin/sh -c make # buildkit"),
)
CLASSIC = (
    *BASE,
    History("2020-01-02T00:00:00Z", created_by="/bin/sh -c #(nop)  ENV A=b", empty_layer=True),
    History("2020-01-03T00:00:00Z", created_by="/bin/sh -c #(nop) COPY file:0123 in /f "),
    History("2020-01-04T00:00:00Z", created_by="/bin/sh -c make"),
)


def image(history=BUILDKIT, told=None):
    diff_ids = tuple(f"sha256:{number:064}" for number in range(3))
    config = ImageConfig(rootfs=RootFs(diff_ids=diff_ids), history=tuple(history), build_cache=told)
    return make("sha256:" + 64 * "a", ImageRecord("m"), config, MANIFEST, 0)


def state(source, layers, words):
    history = tuple(History(created_by=text) for text in words)
    return State(source.chains[layers - 1] if layers else None, Config(), Platform("linux", "amd64"), history=history)


async def nothing(scratch, heard):
    raise AssertionError


def operation(key="k", created_by="RUN /bin/sh -c make # buildkit", *, told=True):
    return Operation(key, created_by, "", nothing, told=told)


@pytest.mark.parametrize("history", [BUILDKIT, CLASSIC])
def test_the_same_words_on_the_same_files_are_found(history):
    source = image(history)
    way = ["base", "ENV A=b", "COPY f /f # buildkit"]
    found = CacheFrom([source], strict=False).files(None, operation(), state(source, 2, way))
    assert found is not None and (found.key, found.chain, found.diff_id) == ("k", source.chains[2], source.config.diff_ids[2])
    assert found.created == 1578096000 * 10**9


@pytest.mark.parametrize(
    ("layers", "way", "words"),
    [
        (1, ["base", "ENV A=b", "COPY f /f # buildkit"], "RUN /bin/sh -c make # buildkit"),
        (2, ["base", "ENV A=c", "COPY f /f # buildkit"], "RUN /bin/sh -c make # buildkit"),
        (2, ["base", "COPY f /f # buildkit"], "RUN /bin/sh -c make # buildkit"),
        (2, ["base", "ENV A=b", "COPY f /f # buildkit"], "RUN /bin/sh -c other # buildkit"),
        (3, ["base", "ENV A=b", "COPY f /f # buildkit", "RUN /bin/sh -c make # buildkit"], "RUN /bin/sh -c make # buildkit"),
    ],
)
def test_other_files_or_words_are_not(layers, way, words):
    source = image()
    assert CacheFrom([source], strict=False).files(None, operation(created_by=words), state(source, layers, way)) is None


def test_words_that_do_not_tell_all_find_nothing():
    source = image()
    before = state(source, 1, ["base", "ENV A=b"])
    assert CacheFrom([source], strict=False).files(None, operation(created_by="COPY f /f # buildkit", told=False), before) is None


def test_keys_find_what_words_do_not():
    source = image(told=[["k", 2], ["other", 3]])
    before = state(source, 1, ["base", "ENV A=b"])
    found = CacheFrom([source], strict=False).files(None, operation(created_by="COPY f /f # buildkit", told=False), before)
    assert found is not None and found.chain == source.chains[1] and found.created == 1578009600 * 10**9


@pytest.mark.parametrize("told", ["x", 1, {"a": 1}, [["k"]], [["k", 9]], [["k", -1]], [[1, 2]], [["k", "2"]], [None]])
def test_what_an_image_tells_may_be_anything(told):
    assert list(inline.read(image(told=told))) == []


def test_what_is_written_is_read():
    source = image()
    steps = [("a", source.chains[0]), ("b", source.chains[2]), ("c", None), ("gone", "sha256:elsewhere")]
    assert list(inline.read(image(told=inline.written(steps, source.chains)))) == [("a", 1), ("b", 3), ("c", 0)]


def test_as_in_the_classic_builder_only_what_images_hold_counts():
    source = image()
    here = CacheRecord("k", "regular", chain=source.chains[2])
    elsewhere = CacheRecord("k", "regular", chain="sha256:elsewhere")
    before = state(source, 2, ["base", "ENV A=b", "COPY f /f # buildkit"])
    assert CacheFrom([source], strict=True).files(here, operation(), before) is here
    assert CacheFrom([], strict=True).files(here, operation(), before) is None
    assert CacheFrom([], strict=False).files(here, operation(), before) is here
    found = CacheFrom([source], strict=True).files(elsewhere, operation(), before)
    assert found is not None and found.chain == source.chains[2]


def test_a_step_of_configuration_has_the_image_s_time():
    source = image()
    caches = CacheFrom([source], strict=False)
    assert caches.words("ENV A=b", state(source, 1, ["base"])) == 1577923200 * 10**9
    assert caches.words("ENV A=c", state(source, 1, ["base"])) is None
    assert caches.words("ENV A=b", state(source, 0, ["base"])) is None
