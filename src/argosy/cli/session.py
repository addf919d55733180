"""What a command works with: the client, the configuration, the terminal. Each is made when first used."""

from __future__ import annotations

import os
import sys

from argosy.client.endpoint import TlsFlags, config_directory, find
from argosy.client.sync import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeVar

    from argosy.cli.flags import Values
    from argosy.client.call import Call, Hijack, Stream
    from argosy.client.endpoint import Endpoint
    from argosy.client.sync import Channel

    T = TypeVar("T")


class Session:
    """One invocation of ``argosy``."""

    def __init__(
        self, environ: Mapping[str, str], *, host: str = "", context: str = "", directory: str = "", tls: TlsFlags | None = None
    ) -> None:
        self.environ = environ
        self.directory = directory or config_directory(environ)
        self.debug = False
        self._host = host
        self._context = context
        self._tls = tls
        self._client: Client | None = None
        self._config: dict[str, Any] | None = None

    @classmethod
    def from_globals(cls, values: Values) -> Session:
        """Read the options that precede the verb; several hosts are refused in docker's words."""
        from argosy.cli.errors import ExitError

        hosts = values.texts("host")
        if len(hosts) > 1:
            raise ExitError(1, "Failed to initialize: unable to resolve argosy endpoint: Specify only one -H")
        flags = TlsFlags(
            values.switch("tls"),
            values.switch("tlsverify") if values.given("tlsverify") else None,
            values.text("tlscacert"),
            values.text("tlscert"),
            values.text("tlskey"),
        )
        session = cls(
            os.environ, host=hosts[0] if hosts else "", context=values.text("context"), directory=values.text("config"), tls=flags
        )
        session.debug = values.switch("debug")
        return session

    @property
    def endpoint(self) -> Endpoint:
        return find(self.environ, host=self._host, context=self._context, flags=self._tls, directory=self.directory)

    @property
    def context_name(self) -> str:
        """The context in use, whether it exists or not."""
        from argosy.client.endpoint import current_context

        return "default" if self._host else self._context or current_context(self.environ, self.directory)

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = self.new_client()
        return self._client

    def new_client(self) -> Client:
        """Return another client, for what runs beside the first: a resize while output streams."""
        from argosy import __version__

        version = self.environ.get("ARGOSY_API_VERSION") or self.environ.get("DOCKER_API_VERSION") or ""
        return Client(self.endpoint, api_version=version, user_agent=f"Argosy-Client/{__version__} (linux)")

    def call(self, call: Call[T]) -> T:
        return self.client.call(call)

    def stream(self, call: Stream[T]) -> Iterator[T]:
        return self.client.stream(call)

    def hijack(self, call: Hijack) -> Channel:
        return self.client.hijack(call)

    @property
    def config(self) -> dict[str, Any]:
        """The client's config.json; what it does not say is taken from docker's."""
        if self._config is None:
            from argosy.client.contexts import load_config
            from argosy.client.endpoint import docker_config_directory

            docker = load_config(docker_config_directory(self.environ))
            docker.pop("currentContext", None)
            self._config = {**docker, **load_config(self.directory)}
        return self._config

    @property
    def width(self) -> int:
        """Columns of the terminal that output goes to, 0 where it goes elsewhere."""
        if not sys.stdout.isatty():
            return 0
        try:
            return os.get_terminal_size(1).columns
        except OSError:
            return 0

    def say(self, text: str) -> None:
        """Write a line of output."""
        sys.stdout.write(text + "\n")

    def warn(self, text: str) -> None:
        """Write a line to standard error, after the output that precedes it."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
