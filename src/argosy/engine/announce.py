"""Container events with the attributes that Docker gives them: image, name, every label, and what the action adds."""

from argosy.base.events import EventBus
from argosy.engine.container import Container
from argosy.engine.model import MountPoint


class Announcer:
    def __init__(self, events: EventBus) -> None:
        self._events = events

    def __call__(self, container: Container, action: str, **extra: str) -> None:
        attributes = dict(container.spec.config.labels or {})
        attributes["image"] = container.spec.config.image
        attributes["name"] = container.name
        attributes.update(extra)
        self._events.publish("container", action, container.id, attributes)

    def mounted(self, container: Container, point: MountPoint) -> None:
        """A volume is in use by one container more."""
        about = {"destination": point.destination, "read/write": "true" if point.rw else "false", "propagation": point.propagation}
        self._events.publish("volume", "mount", point.name, {"container": container.id, "driver": point.driver, **about})

    def unmounted(self, container: Container, point: MountPoint) -> None:
        self._events.publish("volume", "unmount", point.name, {"container": container.id, "driver": point.driver})

    def pruned(self, freed: int) -> None:
        self._events.publish("container", "prune", "", {"reclaimed": str(freed)})
