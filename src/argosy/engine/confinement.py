"""What keeps a container's program in its bounds: capabilities, seccomp, labels; worked out from its revision."""

import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from argosy.base.errors import InvalidParameterError
from argosy.engine.capabilities import capabilities as capability_set
from argosy.engine.model import ContainerSpec
from argosy.engine.platform.apparmor import DEFAULT, UNCONFINED, AppArmor
from argosy.engine.security import Security, security_options
from argosy.engine.selinux import Labels
from argosy.engine.settings import EngineSettings
from argosy.engine.spec import SpecInputs
from argosy.linux.capabilities import available

Resolve = Callable[[Mapping[str, Any] | None, tuple[str, ...]], Mapping[str, Any] | None]
"""(profile in Docker's format, None for the default; capabilities) → OCI ``linux.seccomp``."""


class Confinement:
    def __init__(self, *, settings: EngineSettings, resolve_seccomp: Resolve, apparmor: AppArmor) -> None:
        self._settings = settings
        self._resolve = functools.lru_cache(maxsize=64)(lambda source, held: resolve_seccomp(_profile(source), held))
        self._available = available()
        self._apparmor = apparmor

    def capabilities(self, spec: ContainerSpec, *, privileged: bool = False) -> tuple[str, ...]:
        """Return ``CAP_…`` names that a process of the container may hold."""
        host = spec.host
        return capability_set(host.cap_add, host.cap_drop, privileged or host.privileged, known=self._available)

    def apparmor(self, spec: ContainerSpec) -> str:
        """Return the name of the AppArmor profile that the container runs under; empty where there is no AppArmor."""
        if not self._apparmor.supported:
            return ""
        return UNCONFINED if spec.host.privileged else security_options(spec.host.security_opt).apparmor or DEFAULT

    def labels(self, spec: ContainerSpec) -> Labels:
        """Return the SELinux labels that the container runs under; empty where this daemon labels nothing."""
        if self._settings.selinux is None:
            return Labels()
        # Given a label at create and then made privileged it still has none (moby GetProcessLabel).
        return Labels("" if spec.host.privileged else spec.process_label, spec.mount_label)

    async def ready(self, spec: ContainerSpec) -> None:
        """Return once the kernel has what a process of the container needs. Raises SystemFailureError."""
        if self.apparmor(spec) == DEFAULT:
            await self._apparmor.ensure()

    def inputs(self, spec: ContainerSpec, **rest: Any) -> SpecInputs:
        """Return the inputs of the OCI configuration with the confining part filled in; ``rest`` is the other part."""
        options = security_options(spec.host.security_opt)
        held = self.capabilities(spec)
        labels = self.labels(spec)
        defaults: dict[str, Any] = {"mounts": (), "files": {}, "cgroups_path": "", "default_ulimits": self._settings.default_ulimits}
        return SpecInputs(
            **{**defaults, **rest},
            capabilities=held,
            seccomp=self._seccomp(spec, options, held),
            apparmor=self.apparmor(spec),
            selinux_label=labels.process,
            mount_label=labels.mount,
            no_new_privileges=self._settings.no_new_privileges if options.no_new_privileges is None else options.no_new_privileges,
            unconfined_paths=options.unconfined_paths,
        )

    def _seccomp(self, spec: ContainerSpec, options: Security, held: tuple[str, ...]) -> Mapping[str, Any] | None:
        if spec.host.privileged and not options.seccomp:
            return None
        source = options.seccomp or self._settings.seccomp_profile
        return None if source == "unconfined" else self._resolve(source, held)


def _profile(source: str) -> Mapping[str, Any] | None:
    """Return the profile: None for the default, JSON given in full by the client, or a file of the daemon's host."""
    if source in ("", "builtin"):
        return None
    text = source
    if not source.lstrip().startswith("{"):
        if not os.path.exists(source):
            raise InvalidParameterError(f"opening seccomp profile ({source}) failed: no such file or directory")
        with open(source, encoding="utf-8") as handle:
            text = handle.read()
    try:
        found: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise InvalidParameterError(f"Decoding seccomp profile failed: {error}") from error
    return found
