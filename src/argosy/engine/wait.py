"""``POST /containers/{id}/wait``: three conditions, each an iterator that yields once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from argosy.base.errors import InvalidParameterError
from argosy.engine.container import Container
from argosy.engine.model import Status
from argosy.runtime.model import ExitRecord

CONDITIONS = ("", "not-running", "next-exit", "removed")


def wait(container: Container, condition: str) -> AsyncIterator[ExitRecord]:
    """Register at once, so that an exit right after the answer's headers is not missed. Raises InvalidParameterError."""
    if condition not in CONDITIONS:
        raise InvalidParameterError(f'invalid condition: "{condition}"')
    if condition == "removed":
        return _once(container.removal())
    if condition == "next-exit" or container.running or container.state.status is Status.RESTARTING:
        return _once(container.next_exit())
    return _now(container.last_exit())


async def _once(future: "asyncio.Future[ExitRecord]") -> AsyncIterator[ExitRecord]:
    """Why a start failed is told to who asked for it; the docker CLI would print it a second time from here."""
    yield replace(await future, error="")


async def _now(record: ExitRecord) -> AsyncIterator[ExitRecord]:
    yield record
