"""Wire types of volume requests."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from argosy.schema.names import wire_name


class VolumeBody(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    go_name: ClassVar[str] = "volume.CreateOptions"
    name: str = ""
    driver: str = ""
    driver_opts: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    cluster_volume_spec: Mapping[str, Any] | None = None
