"""Container events with the attributes that Docker gives them: image, name, every label, and what the action adds."""

from argosy.base.events import EventBus
from argosy.engine.container import Container


class Announcer:
    def __init__(self, events: EventBus) -> None:
        self._events = events

    def __call__(self, container: Container, action: str, **extra: str) -> None:
        attributes = dict(container.spec.config.labels or {})
        attributes["image"] = container.spec.config.image
        attributes["name"] = container.name
        attributes.update(extra)
        self._events.publish("container", action, container.id, attributes)
