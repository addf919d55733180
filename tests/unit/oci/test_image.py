import json

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.oci import image
from argosy.oci.config import Config, Healthcheck
from argosy.oci.descriptor import Descriptor, Manifest
from argosy.oci.image import History, ImageConfig, RootFs


def test_dockers_configuration_is_read():
    data = {
        "architecture": "amd64",
        "os": "linux",
        "os.version": "1",
        "created": "2024-01-01T00:00:00Z",
        "config": {
            "Hostname": "",
            "Env": None,
            "Cmd": ["sh"],
            "Entrypoint": "old",
            "ExposedPorts": {"80/tcp": {}},
            "OnBuild": ["RUN x"],
            "Healthcheck": {"Test": ["CMD", "x"], "Interval": 5},
            "StopTimeout": 3,
            "Labels": {"a": "b"},
            "Unknown": 1,
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
        "history": [{"created_by": "x", "empty_layer": True, "created": None}],
        "moby.buildkit.cache.v0": "…",
    }
    view = image.decode(json.dumps(data).encode())
    config = image.from_wire(view.config)
    assert (config.cmd, config.entrypoint, config.env, config.stop_timeout) == (("sh",), ("old",), None, 3)
    assert (config.healthcheck.test, config.healthcheck.interval) == (("CMD", "x"), 5)
    assert (view.os_version, view.diff_ids, view.history[0].empty_layer) == ("1", ("sha256:1",), True)


def test_a_configuration_survives_the_way_into_an_image_and_back():
    config = Config(
        user="1:2",
        env=("A=b",),
        cmd=("x", "y"),
        labels={"k": "v"},
        volumes={"/data": {}},
        healthcheck=Healthcheck(test=("NONE",), retries=3),
        shell=("/bin/bash", "-c"),
        working_dir="/w",
    )
    stored = image.encode(ImageConfig(config=image.to_wire(config), os="linux", rootfs=RootFs(diff_ids=()), history=(History(),)))
    assert image.from_wire(image.decode(stored).config) == config
    assert b'"WorkingDir":"/w"' in stored
    assert b'"OnBuild"' not in stored


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"os": 1}', b'{"rootfs": {"diff_ids": "x"}}', b"\xff\xfe"])
def test_what_is_no_configuration_is_refused(data):
    with pytest.raises(InvalidParameterError, match="invalid image configuration"):
        image.decode(data)


def test_a_manifest_is_written_as_docker_writes_it():
    import msgspec

    manifest = Manifest(
        schema_version=2,
        media_type="m",
        config=Descriptor("c", "sha256:1", 3),
        layers=(Descriptor("l", "sha256:2", 4),),
    )
    assert msgspec.json.encode(manifest) == (
        b'{"schemaVersion":2,"mediaType":"m","config":{"mediaType":"c","digest":"sha256:1","size":3},'
        b'"layers":[{"mediaType":"l","digest":"sha256:2","size":4}]}'
    )
