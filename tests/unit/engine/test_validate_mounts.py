"""``-v``, ``--mount``, ``--tmpfs``, VOLUME: the grammar, in Docker 28's words and with its statuses."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import ArgosyError, InvalidParameterError, SystemFailureError
from argosy.engine.model import (
    BindOptions,
    DriverConfig,
    HostConfig,
    ImageOptions,
    Mount,
    MountPoint,
    TmpfsOptions,
    VolumeOptions,
)
from argosy.engine.validate.binds import parse_bind, parse_mode
from argosy.engine.validate.mounts import is_local, mount_points, parse_mount
from argosy.engine.validate.references import parse_link, parse_volumes_from
from argosy.oci.config import Config


def bind(source, destination, **rest):
    return MountPoint(type="bind", source=source, destination=destination, **{"propagation": "rprivate", **rest})


def volume(name, destination, **rest):
    return MountPoint(type="volume", name=name, destination=destination, **{"driver": "local", "mode": "z", **rest})


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("/tmp:/b", bind("/tmp", "/b")),
        ("/tmp:/b:", bind("/tmp", "/b")),
        ("/tmp:/b:ro,z", bind("/tmp", "/b", mode="ro,z", rw=False)),
        ("/tmp:/b:rslave,ro", bind("/tmp", "/b", mode="rslave,ro", rw=False, propagation="rslave")),
        ("/tmp:/b:cached", bind("/tmp", "/b", mode="cached")),
        ("/tmp:/b:private,ro,z", bind("/tmp", "/b", mode="private,ro,z", rw=False, propagation="private")),
        ("/tmp/../etc:/b/../c", bind("/etc", "/c")),
        ("//tmp:/b//c/", bind("/tmp", "/b/c")),
        ("data:/b", volume("data", "/b")),
        ("data:/b:nocopy", volume("data", "/b", mode="nocopy", no_copy=True)),
        ("data:/b:ro", volume("data", "/b", mode="ro", rw=False)),
        ("/x", volume("", "/x", anonymous=True)),
        ("./x:/b", volume("./x", "/b")),  # refused when the volume is made, as a name
    ],
)
def test_binds(text, point):
    assert parse_bind(text) == point


WRONG_MODES = ("foo", "ro,rw", "z,Z", "rslave,rshared", "copy", "ro,", "cached,delegated")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid volume specification: ''"),
        (":/x", "invalid volume specification: ':/x'"),
        ("x:", "invalid volume specification: 'x:'"),
        ("/b:ro", "invalid volume specification: '/b:ro'"),
        ("/tmp:/b:ro:rw", "invalid volume specification: '/tmp:/b:ro:rw'"),
        ("a:b:c:d", "invalid volume specification: 'a:b:c:d'"),
        (
            "x",
            "invalid volume specification: 'x': invalid mount config for type \"volume\": "
            "invalid mount path: 'x' mount path must be absolute",
        ),
        (
            "/a:b",
            "invalid volume specification: '/a:b': invalid mount config for type \"bind\": "
            "invalid mount path: 'b' mount path must be absolute",
        ),
        (
            "/tmp:/",
            "invalid volume specification: '/tmp:/': invalid mount config for type \"bind\": "
            "invalid specification: destination can't be '/'",
        ),
        (
            "/tmp:/.",
            "invalid volume specification: '/tmp:/.': invalid mount config for type \"bind\": "
            "invalid specification: destination can't be '/'",
        ),
        (
            "/tmp:/b:nocopy",
            "invalid volume specification: '/tmp:/b:nocopy': invalid mount config for type \"bind\": "
            "field VolumeOptions must not be specified",
        ),
        (
            "efv:/b:rslave",
            "invalid volume specification: 'efv:/b:rslave': invalid mount config for type \"volume\": "
            "field BindOptions must not be specified",
        ),
        *(
            (f"/tmp:/b:{mode}", f"invalid mode: {mode}")
            for mode in ("foo", "ro,rw", "z,Z", "rslave,rshared", "copy", "ro,", "cached,delegated")
        ),
        ("efv:/b:nocopy,nocopy", "invalid mode: nocopy,nocopy"),
        ("/b:/c:volume-nocopy", "invalid mode: volume-nocopy"),
    ],
)
def test_wrong_binds(text, words):
    with pytest.raises(SystemFailureError) as error:
        parse_bind(text)
    assert str(error.value) == words


@given(st.text(alphabet=":/.abro,zZ ", max_size=16))
def test_a_bind_is_a_mount_or_a_refusal(text):
    try:
        point = parse_bind(text)
    except SystemFailureError:
        return
    assert posixpath.isabs(point.destination) and point.destination != "/"
    assert point.destination == posixpath.normpath(point.destination) and not point.destination.startswith("//")
    assert point.type == ("bind" if point.source else "volume")
    assert point.anonymous == (point.type == "volume" and not point.name)
    assert not point.source or posixpath.isabs(point.source)


words = st.sampled_from(["ro", "rw", "z", "Z", "rslave", "shared", "nocopy", "cached", "delegated"])


@given(st.lists(words, max_size=4))
def test_a_mode_has_one_word_of_a_kind(asked):
    kinds = [{"ro", "rw"}, {"z", "Z"}, {"rslave", "shared"}, {"nocopy"}, {"cached", "delegated"}]
    valid = all(sum(word in kind for word in asked) <= 1 for kind in kinds)
    mode = parse_mode(",".join(asked))
    assert (mode is not None) == valid
    if mode:
        assert mode.rw == ("ro" not in asked) and mode.no_copy == ("nocopy" in asked)


@pytest.mark.parametrize(
    ("mount", "point"),
    [
        (Mount("bind", "/tmp", "/b"), bind("/tmp", "/b", options=("must-exist",))),
        (
            Mount("bind", "/tmp", "/b/", True, bind_options=BindOptions("rshared", True, True, True)),
            bind("/tmp", "/b", rw=False, propagation="rshared", options=("non-recursive", "ro-non-recursive")),
        ),
        (
            Mount("bind", "/tmp", "/b", True, bind_options=BindOptions(read_only_force_recursive=True)),
            bind("/tmp", "/b", rw=False, options=("must-exist", "ro-force-recursive")),
        ),
        (Mount("volume", "data", "/b"), volume("data", "/b")),
        (Mount("volume", "", "/b"), volume("", "/b", anonymous=True)),
        (
            Mount("volume", "data", "/b", volume_options=VolumeOptions(True, None, DriverConfig("nfs"), "a/b")),
            volume("data", "/b", driver="nfs", mode="", no_copy=True, subpath="a/b"),
        ),
        (
            Mount("image", "busybox", "/b", image_options=ImageOptions("bin")),
            MountPoint(type="image", name="busybox", destination="/b", rw=False, propagation="rprivate", subpath="bin"),
        ),
        (
            Mount("tmpfs", "", "/b", True, tmpfs_options=TmpfsOptions(100, 0o1777, (("exec",),))),
            MountPoint(type="tmpfs", destination="/b", rw=False, options=("ro", "size=100", "mode=1777", "exec")),
        ),
    ],
)
def test_mounts(mount, point):
    assert parse_mount(mount) == point


def config_error(kind, reason):
    return f'invalid mount config for type "{kind}": {reason}'


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        (Mount("foo", "", "/b"), config_error("foo", "mount type unknown")),
        (Mount("npipe", "x", "/b"), config_error("npipe", "mount type unknown")),
        (Mount("bind", "", "/b"), config_error("bind", "field Source must not be empty")),
        (Mount("bind", "tmp", "/b"), config_error("bind", "invalid mount path: 'tmp' mount path must be absolute")),
        (Mount("bind", "/tmp", "b"), config_error("bind", "invalid mount path: 'b' mount path must be absolute")),
        (Mount("bind", "/tmp", ""), config_error("bind", "field Target must not be empty")),
        (Mount("bind", "/tmp", "/"), config_error("bind", "invalid specification: destination can't be '/'")),
        (Mount("bind", "/tmp", "/b", bind_options=BindOptions("foo")), config_error("bind", "invalid propagation mode: foo")),
        (Mount("volume", "", "/b", bind_options=BindOptions("x")), 'BindOptions must not be specified on mount type "volume"'),
        (Mount("bind", "/t", "/b", volume_options=VolumeOptions(True)), 'VolumeOptions must not be specified on mount type "bind"'),
        (Mount("bind", "/t", "/b", tmpfs_options=TmpfsOptions()), 'TmpfsOptions must not be specified on mount type "bind"'),
        (Mount("tmpfs", "/tmp", "/b"), config_error("tmpfs", "field Source must not be specified")),
        (Mount("tmpfs", "", "/b", tmpfs_options=TmpfsOptions(options=(("foo", "bar"),))), config_error("tmpfs", "invalid option: foo")),
        (
            Mount("volume", "", "/b", volume_options=VolumeOptions(subpath="x")),
            config_error("volume", "must not set Subpath when using anonymous volumes"),
        ),
        (
            Mount("volume", "v", "/b", volume_options=VolumeOptions(subpath="/x")),
            config_error("volume", "subpath must be a relative path within the volume"),
        ),
        (
            Mount("volume", "v", "/b", volume_options=VolumeOptions(subpath="a/../../x")),
            config_error("volume", "subpath must be a relative path within the volume"),
        ),
        (Mount("volume", "", "/b", True), config_error("volume", "must not set ReadOnly mode when using anonymous volumes")),
        (Mount("image", "", "/b"), config_error("image", "field Source must not be empty")),
    ],
)
def test_wrong_mounts(mount, words):
    with pytest.raises(InvalidParameterError) as error:
        parse_mount(mount)
    assert str(error.value) == words


@pytest.mark.parametrize(
    "host",
    [
        HostConfig(binds=("/tmp:/b", "/tmp:/b")),
        HostConfig(binds=("/tmp:/b", "/etc:/b/")),
        HostConfig(binds=("/tmp:/b",), mounts=(Mount("tmpfs", "", "/b"),)),
        HostConfig(binds=("/tmp:/b",), tmpfs={"/b": ""}),
        HostConfig(mounts=(Mount("tmpfs", "", "/b"), Mount("tmpfs", "", "/b"))),
    ],
)
def test_one_place_is_mounted_once(host):
    with pytest.raises(InvalidParameterError, match=r"^Duplicate mount point: /b$"):
        mount_points(Config(), host)


def test_an_images_volume_gives_way_to_what_is_asked_for():
    config = Config(volumes={"/a": {}, "/b": {}, "/t": {}, "/m/": {}, "c": {}})
    points = mount_points(config, HostConfig(binds=("/tmp:/b",), tmpfs={"/t": ""}, mounts=(Mount("volume", "x", "/m"),)))
    assert [(point.type, point.destination, point.anonymous) for point in points] == [
        ("bind", "/b", False),
        ("volume", "/m", False),
        ("volume", "/a", True),
        ("volume", "/c", True),
    ]
    assert points[2].mode == ""


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (HostConfig(tmpfs={"b": ""}), "invalid mount path: 'b' mount path must be absolute"),
        (HostConfig(tmpfs={"/": ""}), "invalid specification: destination can't be '/'"),
    ],
)
def test_wrong_tmpfs(host, words):
    with pytest.raises(InvalidParameterError) as error:
        mount_points(Config(), host)
    assert str(error.value) == words


def test_nothing_can_be_mounted_on_the_root():
    with pytest.raises(InvalidParameterError, match="destination can't be '/'"):
        mount_points(Config(volumes={"/": {}}), HostConfig())


@given(st.text(alphabet="./ab", max_size=12))
def test_local_paths_stay_where_they_begin(path):
    inside = posixpath.normpath(posixpath.join("/top/sub", path)).startswith("/top/sub") and not posixpath.isabs(path)
    assert is_local(path) == (inside and path != "")


@pytest.mark.parametrize(("text", "found"), [("a", ("a", "rw")), ("a:ro", ("a", "ro")), ("a:z", ("a", "z")), ("a:", ("a", "rw"))])
def test_volumes_from(text, found):
    assert parse_volumes_from(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "volumes-from specification cannot be an empty string"),
        (":ro", 'invalid name or ID supplied: ""'),
        ("xx:foo", "invalid mode: foo"),
        ("xx:nocopy", "invalid mode: nocopy"),
    ],
)
def test_wrong_volumes_from(text, words):
    with pytest.raises(InvalidParameterError) as error:
        parse_volumes_from(text)
    assert str(error.value) == words


def test_links():
    assert parse_link("a") == ("a", "a")
    assert parse_link("a:b") == ("a", "b")
    assert parse_link("/a:/web/b") == ("/a", "b")
    for text, words in (("", "empty string specified for links"), ("xx:a:b", "bad format for links: xx:a:b")):
        with pytest.raises(ArgosyError) as error:
            parse_link(text)
        assert str(error.value) == words
