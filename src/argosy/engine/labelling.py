"""Which labels are given to whom: `engine.selinux` decides, here is what it needs to know of the other containers.

Levels in use are those of the containers that exist; nothing else is kept of them, so that nothing can be stale after a crash.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from argosy.base.errors import NotFoundError
from argosy.engine.model import HostConfig
from argosy.engine.registry import Registry
from argosy.engine.security import security_options
from argosy.engine.selinux import Labels, Policy, choose, shared_options


class Labelling:
    """``policy``: None where containers are not labelled."""

    def __init__(self, *, registry: Registry, policy: Policy | None, rng: random.Random) -> None:
        self._registry = registry
        self._policy = policy
        self._rng = rng
        self._given: list[str] = []

    def settle(self, host: HostConfig) -> HostConfig:
        """Return it with the label options that follow from the others, as inspect shows them. Raises InvalidParameterError."""
        more = shared_options(host, self._label_of)
        return msgspec.structs.replace(host, security_opt=(*(host.security_opt or ()), *more)) if more else host

    @contextmanager
    def labels(self, host: HostConfig) -> Iterator[Labels]:
        """Yield the labels of a new container, which nobody else is given before the registry has it, or before the end of the block.

        Raises SystemFailureError for a label option that is none.
        """
        if self._policy is None:
            yield Labels()
            return
        taken = [container.spec.process_label for container in self._registry]
        found = choose(security_options(host.security_opt).labels, self._policy, [*taken, *self._given], self._rng)
        self._given.append(found.process)
        try:
            yield found
        finally:
            self._given.remove(found.process)

    def _label_of(self, ref: str) -> str:
        try:
            return self._registry.find(ref).spec.process_label
        except NotFoundError:
            # Told by the start, which needs it to run.
            return ""
