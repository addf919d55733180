"""A bundle on disk → a plan."""

import os

from argosy.runtime.compile import HostFacts, PlanError, compile_start
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.plainjson import loads
from argosy.runtime.seccomp.cache import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from argosy.runtime.oci.arguments import Arguments


class Root:
    """The bundle's root directory, as it is (`argosy.storage.model.Directory` without its imports)."""

    map = False  # who prepared the bundle has prepared its owners too

    def __init__(self, path: str) -> None:
        self.path = path


def load_spec(bundle: str) -> "dict[str, Any]":
    """Return config.json. Raises RuntimeFailed."""
    path = os.path.join(bundle, "config.json")
    try:
        with open(path) as file:
            spec = loads(file.read())
    except FileNotFoundError:
        raise RuntimeFailed("JSON specification file config.json not found") from None
    except (OSError, ValueError) as error:
        raise RuntimeFailed(f"reading {path}: {error}") from None
    if not isinstance(spec, dict) or not str(spec.get("ociVersion", "")).startswith("1."):
        raise RuntimeFailed(f"unsupported OCI version in {path}: {spec.get('ociVersion') if isinstance(spec, dict) else None}")
    return spec


def root_of(spec: "dict[str, Any]", bundle: str) -> str:
    path = (spec.get("root") or {}).get("path", "")
    if not path:
        raise RuntimeFailed("root.path must not be empty")
    root = os.path.normpath(os.path.join(bundle, path))
    if not os.path.isdir(root):
        raise RuntimeFailed(f"invalid rootfs: {root} does not exist or is not a directory")
    return root


def plan_of(spec: "dict[str, Any]", bundle: str, identifier: str, host: HostFacts, arguments: "Arguments", cache: str) -> "dict[str, Any]":
    """Return the start plan. Raises RuntimeFailed."""
    hooks = spec.get("hooks") or {}
    try:
        return compile_start(
            spec,  # type: ignore[arg-type]
            Root(root_of(spec, bundle)),  # type: ignore[arg-type]
            container_id=identifier,
            host=host,
            bpf=compiled((spec.get("linux") or {}).get("seccomp"), cache_dir=cache),
            systemd_cgroup=arguments.given("systemd-cgroup"),
            bundle=bundle,
            no_pivot=arguments.given("no-pivot"),
            keyring=not arguments.given("no-new-keyring"),
            hooks=any(hooks.get(name) for name in ("prestart", "createRuntime", "createContainer")),
        )
    except (PlanError, ValueError, OSError) as error:
        raise RuntimeFailed(str(error)) from error
