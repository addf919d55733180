"""Archives whose indexes are hostile."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.images import bundle as bundles
from argosy.images.bundle import Bundle
from argosy.images.spool import Spool
from argosy.oci.descriptor import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from argosy.storage.threaded import ThreadedFile


class Layout:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, kind: str, document: Any) -> dict[str, Any]:
        """Add a blob; return its descriptor."""
        data = json.dumps(document).encode()
        value = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{value}"] = data
        return {"mediaType": kind, "digest": f"sha256:{value}", "size": len(data)}

    def manifest(self, mark: str = "") -> dict[str, Any]:
        config = {"mediaType": OCI_CONFIG, "digest": "sha256:" + "0" * 64, "size": 1}
        return self.add(OCI_MANIFEST, {"schemaVersion": 2, "config": config, "layers": [], "annotations": {"mark": mark}})

    def index(self, *entries: dict[str, Any]) -> dict[str, Any]:
        return self.add(OCI_INDEX, {"schemaVersion": 2, "manifests": list(entries)})

    @contextmanager
    def opened(self, *entries: dict[str, Any]) -> Iterator[Bundle]:
        """Yield the archive, whose ``index.json`` has these entries."""
        whole = {**self.files, "index.json": json.dumps({"schemaVersion": 2, "manifests": entries}).encode()}
        with tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                for name, data in whole.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
            file.flush()
            yield bundles.read(Spool(ThreadedFile(file.fileno()), os.fstat(file.fileno()).st_size))


def named(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {**entry, "annotations": {"io.containerd.image.name": name}}


def test_a_manifest_knows_its_outermost_index_and_all_its_names() -> None:
    layout = Layout()
    manifest = layout.manifest()
    outer = layout.index(layout.index(manifest))
    with layout.opened(named(outer, "a/b:1"), named(outer, "a/b:2"), manifest) as bundle:
        (found,) = bundles.manifests(bundle)
        assert (found.names, found.index) == (("a/b:1", "a/b:2"), outer["digest"])
        tree = bundles.tree(bundle, outer["digest"])
        assert ([entry.digest for entry in tree.manifests], len(tree.documents)) == ([manifest["digest"]], 2)


def test_indexes_that_multiply_are_refused_before_they_take_time() -> None:
    layout = Layout()
    entry = layout.manifest()
    for _ in range(4):
        entry = layout.index(*[entry] * 200)
    with (
        layout.opened(*[entry] * 200) as bundle,
        pytest.raises(InvalidParameterError, match="the indexes of the archive name more than 20000 manifests"),
    ):
        bundles.manifests(bundle)


def test_manifests_that_fill_memory_are_refused() -> None:
    layout = Layout()
    large = [layout.manifest(f"{number}" + "x" * (8 << 20)) for number in range(9)]
    with layout.opened(*large) as bundle, pytest.raises(InvalidParameterError, match=r"67\.11MB of them"):
        bundles.manifests(bundle)
