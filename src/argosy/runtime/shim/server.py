"""The shim's own socket and the connections on it: messages in, answers and events out."""

import _socket as socket

from argosy.runtime.exitrecord import SOCKET, discard
from argosy.runtime.shim import wire
from argosy.runtime.shim.loop import IN, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Handler = Callable[["Link", dict[str, Any], list[int]], dict[str, Any] | None]
    """Returns the answer, or None when it will be given later by `Link.answerer`."""


class Refused(Exception):
    """The answer to a request that cannot be done: kind and message."""

    def __init__(self, kind: str, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.kind, self.code = kind, code


class Link:
    """One connection of a daemon."""

    def __init__(self, server: "Server", connection: socket.socket) -> None:
        self.subscribed = False
        self._server, self._socket = server, connection
        connection.setblocking(False)
        server.loop.add(connection.fileno(), IN, self._ready)

    def send(self, message: "dict[str, Any]") -> None:
        """Send; a daemon that does not read its messages loses the connection, and learns all by ``hello`` on the next."""
        try:
            wire.send(self._socket, message)
        except OSError:
            self.close()

    def answerer(self, message: "dict[str, Any]") -> "Callable[[dict[str, Any]], None]":
        """Return what answers this request, sooner or later; nobody hears it when the connection has ended."""
        number = message.get("n", 0)
        return lambda answer: self.send({"re": number, **answer})

    def close(self) -> None:
        if self in self._server.links:
            self._server.links.remove(self)
            self._server.loop.remove(self._socket.fileno())
            self._socket.close()
            self._server.link_closed(self)

    def _ready(self, events: int) -> None:
        try:
            received = wire.receive(self._socket)
        except (BlockingIOError, ConnectionResetError):
            return  # a reset is said once; what is left to read, and the end, come next
        except (OSError, ValueError):
            received = None
        if received is None:
            self.close()
            return
        message, fds = received
        try:
            answer = self._server.handle(self, message, fds)
        except Refused as error:
            answer = {"error": {"kind": error.kind, "message": str(error), "code": error.code}}
        except (KeyError, TypeError, ValueError, OSError) as error:
            answer = {"error": {"kind": "failure", "message": f"{message.get('verb')}: {error}", "code": 0}}
        finally:
            # What a handler keeps it has taken out of the list.
            wire.close_all(fds)
        if answer is not None:
            self.answerer(message)(answer)


class Server:
    """Listens at ``shim.sock`` in the container's state directory."""

    def __init__(self, loop: Loop, directory: str, handle: "Handler", link_closed: "Callable[[Link], None]") -> None:
        self.loop, self.handle, self.link_closed = loop, handle, link_closed
        self.links: list[Link] = []
        self._directory = directory
        self._listener: socket.socket | None = None

    def listen(self, listener: int) -> None:
        """Accept at this socket from now on."""
        self._listener = socket.socket(fileno=listener)
        self.loop.add(listener, IN, self._accept)

    def adopt(self, connection: socket.socket) -> Link:
        link = Link(self, connection)
        self.links.append(link)
        return link

    def tell(self, message: "dict[str, Any]") -> None:
        """Send an event to all who asked for events."""
        for link in tuple(self.links):
            if link.subscribed:
                link.send(message)

    def stop_listening(self) -> None:
        if self._listener is not None:
            self.loop.remove(self._listener.fileno())
            self._listener.close()
            self._listener = None
            discard(self._directory, SOCKET)

    def close(self) -> None:
        self.stop_listening()
        for link in tuple(self.links):
            link.close()

    def _accept(self, events: int) -> None:
        assert self._listener is not None
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        self.adopt(socket.socket(fileno=fd))
