"""Clients' sessions: connections on which the client serves us its files, secrets and logins while a build of its own runs."""

import asyncio
import urllib.parse
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from argosy.base.errors import NotFoundError, UnavailableError
from argosy.buildkit import messages
from argosy.buildkit.wire import Caller
from argosy.images.distribution.credentials import Credentials

_PATIENCE_SECONDS = 10.0
"""A client asks for its build and opens its session at the same time, on two connections."""
_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
_CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
_HUB = "https://index.docker.io/v1/"
"""Under this name clients keep the hub's login."""


@dataclass(slots=True)
class Session:
    id: str
    methods: frozenset[str]
    """What the client serves: ``/SERVICE/METHOD``."""
    caller: Caller = field(repr=False)
    shared_key: str = ""
    """Of the client's directory, the same in its next session; empty if it gave none."""

    async def secret(self, name: str) -> bytes | None:
        """Return a secret's value, None if the client has none of that name. Raises UnavailableError."""
        if _SECRET not in self.methods:
            return None
        try:
            return bytes((await self.caller.ask(_SECRET, messages.SecretRequest(id=name), "SecretResponse")).data)
        except GRPCError as error:
            if error.status is Status.NOT_FOUND:
                return None
            raise UnavailableError(f"secret {name}: {error.message}") from error

    async def login(self, domain: str) -> Credentials | None:
        """Return what the client gives for a registry, None if that is nothing. Raises UnavailableError."""
        if _CREDENTIALS not in self.methods:
            return None
        host = _HUB if domain == "docker.io" else domain
        with suppress(GRPCError):
            reply = await self.caller.ask(_CREDENTIALS, messages.CredentialsRequest(host=host), "CredentialsResponse")
            if reply.secret:
                # Without a name it is an identity token (buildkit session/auth).
                return Credentials(reply.username, reply.secret) if reply.username else Credentials(identity_token=reply.secret)
        return None


class Sessions:
    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    def open(self, id: str, methods: Iterable[str], shared_key: str, transport: asyncio.Transport, early: bytes) -> None:
        """Take a connection whose client serves ``methods``; it is forgotten when the client leaves."""

        def gone() -> None:
            if self._sessions.get(id) is session:
                del self._sessions[id]
            caller.leave()

        caller = Caller(transport, early, gone)
        session = Session(id, frozenset(method for text in methods for method in urllib.parse.unquote(text).split(",")), caller, shared_key)
        self._sessions[id] = session
        if id in self._waiting:
            self._waiting.pop(id).set()

    async def find(self, id: str) -> Session:
        """Return the session, which may be about to come. Raises NotFoundError."""
        if id not in self._sessions:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._waiting.setdefault(id, asyncio.Event()).wait()
        try:
            return self._sessions[id]
        except KeyError:
            self._waiting.pop(id, None)
            raise NotFoundError(f"no active session for {id}: context deadline exceeded") from None
