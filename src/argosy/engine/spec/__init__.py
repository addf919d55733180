"""From a container's revision to the OCI runtime configuration: a pure function, one module a part."""

from argosy.engine.spec.build import SpecInputs, build_spec, container_process, exec_process

__all__ = ["SpecInputs", "build_spec", "container_process", "exec_process"]
