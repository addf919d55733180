"""What a client asks of a build."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from argosy.base.errors import InvalidParameterError
from argosy.build.ports import NO_LIMITS, Limits
from argosy.images.distribution.credentials import Credentials
from argosy.oci.reference import Reference

Agent = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Carries one connection to an ssh agent that the client has."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    tags: tuple[Reference, ...] = ()
    dockerfile: str = ""
    """Path within the context; empty: ``Dockerfile``, else ``dockerfile``."""
    remote: str = ""
    """A git repository, an archive or a Dockerfile by URL, instead of a context in the body."""
    contexts: Mapping[str, str] = field(default_factory=dict)
    """Named contexts (`context.named`)."""
    build_args: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    no_cache: bool = False
    no_cache_stages: frozenset[str] = frozenset()
    """Names or numbers of stages whose steps are done in any case."""
    pull: bool = False
    cache_from: tuple[str, ...] = ()
    """Images; when given, only what they hold counts as cached, as in the classic builder."""
    network: str = ""
    extra_hosts: tuple[str, ...] = ()
    squash: bool = False
    quiet: bool = False
    remove: bool = True
    force_remove: bool = False
    limits: Limits = NO_LIMITS
    auth: Mapping[str, Credentials] = field(default_factory=dict)
    """Logins by registry (X-Registry-Config)."""
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    build_id: str = ""
    """By which ``/build/cancel`` finds it."""
    detailed: bool = False
    """Our own client asks for messages of its own beside the classic ones."""

    @property
    def epoch(self) -> int:
        """SOURCE_DATE_EPOCH in seconds, -1 when it is not given. Raises InvalidParameterError."""
        value = self.build_args.get("SOURCE_DATE_EPOCH")
        if not value:
            return -1
        if not value.isdecimal():
            raise InvalidParameterError(f"invalid SOURCE_DATE_EPOCH: {value}")
        return int(value)
