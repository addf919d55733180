"""All containers in memory: found by id, name or prefix; names reserved before anything else is made."""

from collections.abc import Iterator
from contextlib import contextmanager

from argosy.base import ids
from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.engine.container import Container


class Registry:
    def __init__(self) -> None:
        self._by_id: dict[str, Container] = {}
        self._names: dict[str, str] = {}
        """Name → id, also of containers that are only being made."""

    def __iter__(self) -> Iterator[Container]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, container_id: str) -> Container | None:
        return self._by_id.get(container_id)

    def find(self, ref: str) -> Container:
        """Return the container by full id, name (with or without slash) or unambiguous id prefix, in that order.

        Raises NotFoundError or InvalidParameterError (ambiguous prefix) in Docker's words.
        """
        if found := self._by_id.get(ref):
            return found
        if (by_name := self._names.get(ref.removeprefix("/"))) is not None and (found := self._by_id.get(by_name)):
            return found
        if ids.is_id_prefix(ref):
            matches = [container for full, container in self._by_id.items() if full.startswith(ref)]
            if len(matches) == 1:
                return matches[0]
            if matches:
                raise InvalidParameterError(f"Multiple IDs found with provided prefix: {ref}")
        raise NotFoundError(f"No such container: {ref}")

    def name_taken(self, name: str) -> bool:
        return name in self._names

    @contextmanager
    def reserving(self, name: str, container_id: str) -> Iterator[None]:
        """Hold the name while the block makes the container; given back when the block fails.

        Raises ConflictError when it is in use.
        """
        self.reserve(name, container_id)
        try:
            yield
        except BaseException:
            self.free(name, container_id)
            raise

    def reserve(self, name: str, container_id: str) -> None:
        holder = self._names.get(name)
        if holder is not None and holder != container_id:
            raise ConflictError(
                f'Conflict. The container name "/{name}" is already in use by container "{holder}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
        self._names[name] = container_id

    def free(self, name: str, container_id: str) -> None:
        if self._names.get(name) == container_id:
            del self._names[name]

    def add(self, container: Container) -> None:
        self._names.setdefault(container.name, container.id)
        self._by_id[container.id] = container

    def remove(self, container: Container) -> None:
        self._by_id.pop(container.id, None)
        self.free(container.name, container.id)
