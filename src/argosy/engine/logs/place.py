"""Where a container's log lies, for the shim that writes it and for those who read it."""

from collections.abc import Mapping

from argosy.base.clock import rfc3339_nano
from argosy.base.errors import SystemFailureError
from argosy.engine.model import ContainerSpec
from argosy.engine.paths import ContainerPaths
from argosy.runtime.logs.attributes import TagError, extra_attributes
from argosy.runtime.model import LogPlan

IN_FILES = ("json-file", "local")
_FALSE = ("", "0", "f", "F", "false", "FALSE", "False")


def written(spec: ContainerSpec, paths: ContainerPaths) -> LogPlan:
    """Return what the shim is told. Drivers that send the log away keep a copy in files, too (`readable`).

    Raises SystemFailureError for a pattern that is none.
    """
    config = spec.host.log_config
    try:
        attributes = extra_attributes(config.config, spec.config.labels or {}, spec.config.env or ())
    except TagError as error:
        raise SystemFailureError(f"failed to create task for container: failed to initialize logging driver: {error}") from error
    about = {
        "container_id": spec.id,
        "container_name": spec.name,
        "image_id": spec.image_id,
        "image_name": spec.config.image,
        "container_command": " ".join((spec.path, *spec.args)),
        "container_created": rfc3339_nano(spec.created),
    }
    return LogPlan(config.type, spec.log_path or paths.cached_log, dict(config.config), {**attributes, **about})


def readable(spec: ContainerSpec, paths: ContainerPaths) -> LogPlan:
    """Return the log that ``docker logs`` reads: of a driver that sends it away the copy, unless ``cache-disabled`` says otherwise."""
    config = spec.host.log_config
    if config.type in IN_FILES:
        return LogPlan(config.type, spec.log_path, dict(config.config))
    if config.type == "none" or _switched_off(config.config):
        return LogPlan(config.type)
    return LogPlan("local", paths.cached_log)


def _switched_off(options: Mapping[str, str]) -> bool:
    return options.get("cache-disabled", "") not in _FALSE
