"""The blocking executor of calls: what the command line uses."""

from __future__ import annotations

from argosy.client import version
from argosy.client.dial import dial
from argosy.client.errors import ApiError, ProtocolError
from argosy.client.http import Head, body_of, encode_chunk, encode_head, split_head, target
from argosy.client.lines import LineSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    from argosy.client.call import Call, Hijack, Payload, Stream
    from argosy.client.endpoint import Endpoint
    from argosy.client.http import Body

    T = TypeVar("T")

_PIECE = 1 << 18


class Channel:
    """A hijacked connection: raw bytes both ways; ``early`` arrived with the head."""

    __slots__ = ("early", "media_type", "socket")

    def __init__(self, connection: socket.socket, early: bytes, media_type: str) -> None:
        self.socket = connection
        self.early = early
        self.media_type = media_type

    @property
    def multiplexed(self) -> bool:
        return self.media_type == "application/vnd.docker.multiplexed-stream"

    def close(self) -> None:
        self.socket.close()


class Answer:
    """An answer whose head has come; its body is read as wanted."""

    def __init__(self, client: Client, connection: socket.socket, method: str, head: Head, early: bytes) -> None:
        self.head = head
        self._client = client
        self._connection = connection
        self._body: Body = body_of(method, head)
        self._early = early

    def pieces(self) -> Iterator[bytes]:
        """Yield payload as it arrives; the connection goes back for reuse at the end, and is closed on an early stop."""
        try:
            data = self._early
            while True:
                if data and (payload := self._body.feed(data)):
                    yield payload
                if self._body.finished:
                    break
                data = self._connection.recv(_PIECE)
                if not data:
                    self._body.end()
                    break
        finally:
            reusable = self._body.finished and not self._body.rest and self.head.keeps_alive and "content-length" in self.head.headers
            self._client.give_back(self._connection, reusable or self._reusable_chunked())

    def _reusable_chunked(self) -> bool:
        return self._body.finished and not self._body.rest and self.head.keeps_alive and "transfer-encoding" in self.head.headers

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def close(self) -> None:
        self._client.give_back(self._connection, False)


class Client:
    """Carries out calls one after another; not for use by several threads at once.

    ``api_version`` fixes the version that is spoken (``1.41``), else it is negotiated.
    """

    def __init__(
        self, endpoint: Endpoint, *, api_version: str = "", user_agent: str = "argosy", headers: Mapping[str, str] | None = None
    ) -> None:
        self.endpoint = endpoint
        self._fixed = version.parse(api_version) if api_version else None
        self._version = self._fixed or version.NEWEST
        self._settled = self._fixed is not None
        self._idle: socket.socket | None = None
        self._headers = {"Host": endpoint.host.header, "User-Agent": user_agent, **(headers or {})}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    @property
    def api_version(self) -> str:
        """The version that is spoken; asks the daemon when no request has settled it yet."""
        self._settle()
        return version.show(self._version)

    def call(self, call: Call[T]) -> T:
        """Send and return the decoded answer; raises ApiError, ConnectionFailedError, ProtocolError."""
        return call.decode(self.send(call).read())

    def stream(self, call: Stream[T]) -> Iterator[T]:
        """Send at once (a refusal is raised here, not at the first item) and return an iterator over the items."""
        return _items(call, self.send(call))

    def hijack(self, call: Hijack) -> Channel:
        """Send and return the connection, which is the caller's to close."""
        connection, head, early = self._exchange(call)
        if head.status not in (101, 200):
            raise _refusal(Answer(self, connection, call.method, head, early))
        return Channel(connection, early, head.headers.get("content-type", ""))

    def send(self, call: Call[T]) -> Answer:
        """Send and return the answer when its head has come, of a success only."""
        connection, head, early = self._exchange(call)
        answer = Answer(self, connection, call.method, head, early)
        if head.status >= 400:
            raise _refusal(answer)
        return answer

    def give_back(self, connection: socket.socket, reusable: bool) -> None:
        if reusable and self._idle is None:
            self._idle = connection
        elif connection is not self._idle:
            connection.close()

    def _exchange(self, call: Call[T]) -> tuple[socket.socket, Head, bytes]:
        once = not (call.body is None or isinstance(call.body, bytes))
        if once:
            self._settle()
        while True:
            connection, head, early = self._round_trip(call, fresh=once)
            if head.status < 400:
                self._settled = True
                return connection, head, early
            lower = None if self._settled else version.after_refusal(head.status, head.headers.get("api-version"), self._version)
            if lower is None:
                return connection, head, early
            Answer(self, connection, call.method, head, early).read()
            self._version = lower
            self._settled = True

    def _settle(self) -> None:
        if not self._settled:
            from argosy.client.system import ping

            answer = self.send(ping())
            answer.read()
            self._version = min(version.parse(answer.head.headers.get("api-version", "")) or version.OLDEST, version.NEWEST)
            self._settled = True

    def _round_trip(self, call: Call[T], *, fresh: bool) -> tuple[socket.socket, Head, bytes]:
        """Send on the idle connection if there is one; when the daemon has closed that meanwhile, once more on a new one."""
        if self._idle is not None and not fresh:
            connection, self._idle = self._idle, None
            try:
                return self._send(connection, call)
            except (OSError, ProtocolError):
                connection.close()
                if call.method not in ("GET", "HEAD"):
                    raise
        connection = dial(self.endpoint)
        try:
            return self._send(connection, call)
        except BaseException:
            connection.close()
            raise

    def _send(self, connection: socket.socket, call: Call[T]) -> tuple[socket.socket, Head, bytes]:
        prefix = "" if call.path == "/_ping" else "/v" + version.show(self._version)
        headers = {**self._headers, **call.headers}
        request_target = target(self.endpoint.host.path * (self.endpoint.host.kind == "tcp") + prefix + call.path, call.query)
        body = call.body
        if body is None and call.method in ("POST", "PUT"):
            body = b""
        if body is None or isinstance(body, bytes):
            if body is not None:
                headers["Content-Length"] = str(len(body))
            connection.sendall(encode_head(call.method, request_target, headers) + (body or b""))
        else:
            headers["Transfer-Encoding"] = "chunked"
            return _receive_head(connection, _upload(connection, encode_head(call.method, request_target, headers), body))
        return _receive_head(connection)


def _upload(connection: socket.socket, head: bytes, body: Payload) -> bytes:
    """Send a body of unknown length and return what came back meanwhile.

    A daemon that reports progress while it reads would stop reading if nobody took its reports. One that refuses answers early,
    and the rest of the body is not sent then.
    """
    received = bytearray()
    connection.setblocking(False)
    try:
        _send_while_reading(connection, head, received)
        for piece in _payload(body):
            if piece and not _send_while_reading(connection, encode_chunk(piece), received):
                break
        else:
            _send_while_reading(connection, encode_chunk(b""), received)
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        connection.setblocking(True)
    return bytes(received)


def _send_while_reading(connection: socket.socket, data: bytes, received: bytearray) -> bool:
    """Send all; returns False when the daemon has refused or gone, so that more is of no use."""
    import select

    poll = select.poll()
    poll.register(connection, select.POLLIN | select.POLLOUT)
    view = memoryview(data)
    while view:
        ((_, ready),) = poll.poll()
        if ready & ~select.POLLOUT:
            answer = _try(connection.recv, _PIECE)
            if answer == b"":
                return False
            received += answer or b""
            if answer and _refuses(received):
                return False
        if ready & select.POLLOUT:
            view = view[_try(connection.send, view) or 0 :]
    return True


def _try(act: Callable[[Any], T], argument: object) -> T | None:
    """Read or write without waiting; None for not now, which TLS says in words of its own."""
    try:
        return act(argument)
    except BlockingIOError:
        return None
    except OSError as error:
        if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
            return None
        raise


def _refuses(received: bytearray) -> bool:
    found = split_head(bytes(received[: 1 << 17]))
    return found is not None and found[0].status >= 400


def _payload(body: Payload) -> Iterable[bytes]:
    read = getattr(body, "read", None)
    if read is None:
        return body  # type: ignore[return-value]
    return iter(lambda: read(_PIECE), b"")


def _receive_head(connection: socket.socket, buffer: bytes = b"") -> tuple[socket.socket, Head, bytes]:
    while True:
        found = split_head(buffer)
        # An interim answer (100 Continue) precedes the real one; 101 is real.
        while found is not None and 100 <= found[0].status < 200 and found[0].status != 101:
            buffer = found[1]
            found = split_head(buffer)
        if found is not None:
            return connection, *found
        data = connection.recv(_PIECE)
        if not data:
            raise ProtocolError("the daemon closed the connection without an answer")
        buffer += data


def _items(call: Stream[T], answer: Answer) -> Iterator[T]:
    if not call.lines:
        for piece in answer.pieces():
            yield call.decode(piece)
        return
    splitter = LineSplitter()
    for piece in answer.pieces():
        for line in splitter.feed(piece):
            yield call.decode(line)
    for line in splitter.end():
        yield call.decode(line)


def _refusal(answer: Answer) -> ApiError:
    return refusal(answer.head, answer.read())


def refusal(head: Head, body: bytes) -> ApiError:
    """Return the error that a daemon's answer carries: ``{"message": …}``, else its text, else the status."""
    import json

    text = body.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
        text = str(value["message"]).strip()
    except (ValueError, TypeError, KeyError):
        pass
    return ApiError(head.status, text or f"request returned {head.status} {head.reason}")
